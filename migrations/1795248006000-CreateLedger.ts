import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Accounts, transfers, entries and holds. Whoever writes inserts transfers and holds, nothing else: the entries, balances
 * and sums held follow from them by trigger, in the same statement. So no program, however wrong, can change a balance
 * without a transfer, post one leg of it, or continue an account from where it does not stand.
 *
 * Statement triggers over transition tables instead of foreign keys and row triggers: per transfer 3 µs to verify and
 * 10 µs for both balances, where the same rows written and not verified take 25 µs; a foreign key takes 10 µs a row and
 * says only that a row exists.
 */
export class CreateLedger1795248006000 implements MigrationInterface {
  readonly name = 'CreateLedger1795248006000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...TABLES, ...FUNCTIONS, ...TRIGGERS]) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE audit_log ALTER COLUMN details SET STORAGE EXTENDED`);
    await runner.query(`DROP TABLE ledger_holds, ledger_entries, ledger_transfers, ledger_accounts, ledger_writer`);
    for (const name of ['refuse_change', 'book_transfers', 'reserve_holds', 'release_holds']) {
      await runner.query(`DROP FUNCTION ledger_${name}()`);
    }
  }
}

const TABLES = [
  `
    -- Nothing is ever in it: whoever posts locks it first. LOCK TABLE takes no snapshot, so a SERIALIZABLE transaction that
    -- begins with it sees what the one before committed; and it goes with the transaction, however that ends.
    CREATE TABLE ledger_writer (
      nothing boolean,
      CONSTRAINT ledger_writer_check CHECK (false)
    )
  `,
  `
    -- Half of each page stays free, so that a new balance lands beside the old one and no index is touched (HOT).
    CREATE TABLE ledger_accounts (
      id uuid NOT NULL,
      balance bigint NOT NULL DEFAULT 0,
      held bigint NOT NULL DEFAULT 0,
      sequence bigint NOT NULL DEFAULT 0,
      last_entry_at timestamptz NOT NULL DEFAULT '-infinity',
      created_at timestamptz NOT NULL DEFAULT now(),
      allow_negative boolean NOT NULL DEFAULT false,
      kind text NOT NULL,
      currency text COLLATE "C" NOT NULL,
      owner text COLLATE "C" NOT NULL,
      status text NOT NULL DEFAULT 'OPEN',
      CONSTRAINT ledger_accounts_kind_check CHECK (kind IN ('user', 'system')),
      CONSTRAINT ledger_accounts_status_check CHECK (status IN ('OPEN', 'FROZEN')),
      CONSTRAINT ledger_accounts_owner_check CHECK (owner <> ''),
      CONSTRAINT ledger_accounts_balance_check CHECK (balance BETWEEN -9007199254740991 AND 9007199254740991),
      CONSTRAINT ledger_accounts_held_check CHECK (held >= 0 AND (allow_negative OR held <= balance)),
      CONSTRAINT ledger_accounts_pkey PRIMARY KEY (id)
    ) WITH (fillfactor = 50)
  `,
  `
    CREATE UNIQUE INDEX ledger_accounts_owner_key ON ledger_accounts (owner, currency, kind)
  `,
  `
    CREATE TABLE ledger_transfers (
      id uuid NOT NULL,
      debit_account uuid NOT NULL,
      credit_account uuid NOT NULL,
      amount bigint NOT NULL,
      debit_sequence bigint NOT NULL,
      credit_sequence bigint NOT NULL,
      debit_balance_after bigint NOT NULL,
      credit_balance_after bigint NOT NULL,
      created_at timestamptz NOT NULL,
      currency text COLLATE "C" NOT NULL,
      kind text NOT NULL,
      actor text NOT NULL,
      request_id text,
      category text COLLATE "C",
      reference text COLLATE "C",
      description text,
      metadata jsonb,
      reverses uuid,
      hold uuid,
      CONSTRAINT ledger_transfers_amount_check CHECK (amount BETWEEN 1 AND 9007199254740991),
      CONSTRAINT ledger_transfers_accounts_check CHECK (debit_account <> credit_account),
      CONSTRAINT ledger_transfers_kind_check CHECK (kind IN ('CREDIT', 'DEBIT', 'TRANSFER', 'CAPTURE', 'REVERSAL')),
      CONSTRAINT ledger_transfers_reverses_check CHECK ((kind = 'REVERSAL') = (reverses IS NOT NULL)),
      CONSTRAINT ledger_transfers_hold_check CHECK ((kind = 'CAPTURE') = (hold IS NOT NULL)),
      CONSTRAINT ledger_transfers_pkey PRIMARY KEY (id)
    )
  `,
  `
    CREATE UNIQUE INDEX ledger_transfers_reverses_key ON ledger_transfers (reverses) WHERE reverses IS NOT NULL
  `,
  `
    CREATE UNIQUE INDEX ledger_transfers_hold_key ON ledger_transfers (hold) WHERE hold IS NOT NULL
  `,
  `
    -- Over all accounts: whatever settles a payment settles it once, whoever is credited.
    CREATE UNIQUE INDEX ledger_transfers_reference_key ON ledger_transfers (reference, category) NULLS NOT DISTINCT
      WHERE reference IS NOT NULL
  `,
  `
    CREATE TABLE ledger_entries (
      account uuid NOT NULL,
      sequence bigint NOT NULL,
      transfer uuid NOT NULL,
      amount bigint NOT NULL,
      balance_after bigint NOT NULL,
      created_at timestamptz NOT NULL,
      CONSTRAINT ledger_entries_sequence_check CHECK (sequence > 0),
      CONSTRAINT ledger_entries_pkey PRIMARY KEY (account, sequence)
    )
  `,
  `
    CREATE TABLE ledger_holds (
      id uuid NOT NULL,
      account uuid NOT NULL,
      credit_account uuid NOT NULL,
      amount bigint NOT NULL,
      captured bigint,
      expires_at timestamptz NOT NULL,
      created_at timestamptz NOT NULL,
      resolved_at timestamptz,
      transfer uuid,
      currency text COLLATE "C" NOT NULL,
      status text NOT NULL DEFAULT 'ACTIVE',
      placed_by text NOT NULL,
      request_id text,
      description text,
      CONSTRAINT ledger_holds_amount_check CHECK (amount BETWEEN 1 AND 9007199254740991),
      CONSTRAINT ledger_holds_accounts_check CHECK (account <> credit_account),
      CONSTRAINT ledger_holds_captured_check CHECK (captured BETWEEN 1 AND amount),
      CONSTRAINT ledger_holds_status_check CHECK (CASE status WHEN 'ACTIVE' THEN resolved_at IS NULL AND captured IS NULL AND transfer IS NULL WHEN 'CAPTURED' THEN resolved_at < expires_at AND captured IS NOT NULL AND transfer IS NOT NULL WHEN 'VOIDED' THEN resolved_at < expires_at AND captured IS NULL AND transfer IS NULL WHEN 'EXPIRED' THEN resolved_at >= expires_at AND captured IS NULL AND transfer IS NULL ELSE false END),
      CONSTRAINT ledger_holds_pkey PRIMARY KEY (id),
      CONSTRAINT ledger_holds_transfer_fkey FOREIGN KEY (transfer) REFERENCES ledger_transfers (id) DEFERRABLE INITIALLY DEFERRED
    )
  `,
  `
    CREATE INDEX ledger_holds_account_idx ON ledger_holds (account, created_at)
  `,
  `
    CREATE INDEX ledger_holds_expiry_idx ON ledger_holds (expires_at) WHERE status = 'ACTIVE'
  `,
  `
    -- A batch's audit line names hundreds of transfers; compressing it would hold up the transaction, 5 µs a transfer.
    ALTER TABLE audit_log ALTER COLUMN details SET STORAGE EXTERNAL
  `,
];

/** The plans these want whatever the statistics say: a batch probes indexes, however small the tables still are. */
const PLANNING = `SET enable_hashjoin = off SET enable_mergejoin = off SET enable_seqscan = off`;

const FUNCTIONS = [
  `
    CREATE FUNCTION ledger_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'ledger: % of % refused', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
    END
    $$
  `,
  `
    -- Books what was posted: two entries each, and the balances. A chain of entries that does not begin where its account
    -- stands, skips a sequence or misses a sum makes a movement that fits no account. Index: ledger_accounts_pkey.
    CREATE FUNCTION ledger_book_transfers() RETURNS trigger LANGUAGE plpgsql ${PLANNING} AS $$
    DECLARE
      legs bigint;
      moved bigint;
    BEGIN
      INSERT INTO ledger_entries (account, sequence, transfer, amount, balance_after, created_at)
      SELECT debit_account, debit_sequence, id, -amount, debit_balance_after, created_at FROM posted
      UNION ALL
      SELECT credit_account, credit_sequence, id, amount, credit_balance_after, created_at FROM posted;
      GET DIAGNOSTICS legs = ROW_COUNT;

      WITH done AS (
        UPDATE ledger_accounts AS a
        SET balance = a.balance + m.amount, sequence = a.sequence + m.legs, last_entry_at = m.last_at
        FROM (
          SELECT account, currency, balance_before, sequence_before, sum(amount)::bigint AS amount, count(*) AS legs,
            min(created_at) AS first_at, max(created_at) AS last_at
          FROM (
            SELECT account, currency, amount, created_at,
              balance_after - (sum(amount) OVER chain)::bigint AS balance_before,
              sequence - row_number() OVER chain AS sequence_before
            FROM (
              SELECT debit_account AS account, debit_sequence AS sequence, -amount AS amount,
                debit_balance_after AS balance_after, currency, created_at
              FROM posted
              UNION ALL
              SELECT credit_account, credit_sequence, amount, credit_balance_after, currency, created_at
              FROM posted
            ) AS leg
            WINDOW chain AS (PARTITION BY account ORDER BY sequence)
          ) AS step
          GROUP BY account, currency, balance_before, sequence_before
        ) AS m
        WHERE a.id = m.account AND a.balance = m.balance_before AND a.sequence = m.sequence_before
          AND a.currency = m.currency AND a.last_entry_at <= m.first_at AND a.status = 'OPEN'
        RETURNING m.legs
      )
      SELECT coalesce(sum(done.legs), 0) FROM done INTO moved;
      IF moved <> legs THEN
        RAISE EXCEPTION 'ledger: % of % entries do not continue their account', legs - moved, legs
          USING ERRCODE = 'integrity_constraint_violation';
      END IF;

      IF EXISTS (
        SELECT FROM posted AS p
        LEFT JOIN ledger_transfers AS t ON t.id = p.reverses
        WHERE p.reverses IS NOT NULL
          AND (t.debit_account, t.credit_account, t.amount, t.reverses IS NULL)
            IS DISTINCT FROM (p.credit_account, p.debit_account, p.amount, true)
      ) THEN
        RAISE EXCEPTION 'ledger: a reversal does not mirror its transfer' USING ERRCODE = 'integrity_constraint_violation';
      END IF;

      IF EXISTS (
        SELECT FROM posted AS p
        LEFT JOIN ledger_holds AS h ON h.id = p.hold
        WHERE p.hold IS NOT NULL
          AND (h.account, h.credit_account, h.captured, h.transfer)
            IS DISTINCT FROM (p.debit_account, p.credit_account, p.amount, p.id)
      ) THEN
        RAISE EXCEPTION 'ledger: a capture does not match its hold' USING ERRCODE = 'integrity_constraint_violation';
      END IF;
      RETURN NULL;
    END
    $$
  `,
  `
    -- What is placed is held. Index: ledger_accounts_pkey.
    CREATE FUNCTION ledger_reserve_holds() RETURNS trigger LANGUAGE plpgsql ${PLANNING} AS $$
    DECLARE
      accounts bigint;
      reserved bigint;
    BEGIN
      WITH reservation AS (
        SELECT account, currency, sum(amount)::bigint AS amount FROM placed GROUP BY account, currency
      ),
      done AS (
        UPDATE ledger_accounts AS a
        SET held = a.held + r.amount
        FROM reservation AS r
        WHERE a.id = r.account AND a.currency = r.currency AND a.status = 'OPEN'
        RETURNING 1
      )
      SELECT (SELECT count(*) FROM reservation), (SELECT count(*) FROM done) INTO accounts, reserved;
      IF accounts <> reserved OR EXISTS (
        SELECT FROM placed AS p
        LEFT JOIN ledger_accounts AS c ON c.id = p.credit_account AND c.currency = p.currency
        WHERE c.id IS NULL
      ) THEN
        RAISE EXCEPTION 'ledger: a hold names an account that is not open in its currency'
          USING ERRCODE = 'integrity_constraint_violation';
      END IF;
      RETURN NULL;
    END
    $$
  `,
  `
    -- What is resolved is held no more; only an active hold can be. Index: ledger_accounts_pkey.
    CREATE FUNCTION ledger_release_holds() RETURNS trigger LANGUAGE plpgsql ${PLANNING} AS $$
    BEGIN
      UPDATE ledger_accounts AS a
      SET held = a.held - r.amount
      FROM (SELECT account, sum(amount)::bigint AS amount FROM was GROUP BY account) AS r
      WHERE a.id = r.account;
      RETURN NULL;
    END
    $$
  `,
];

const TRIGGERS = [
  `
    CREATE TRIGGER ledger_transfers_book AFTER INSERT ON ledger_transfers REFERENCING NEW TABLE AS posted
      FOR EACH STATEMENT EXECUTE FUNCTION ledger_book_transfers()
  `,
  `
    CREATE TRIGGER ledger_holds_reserve AFTER INSERT ON ledger_holds REFERENCING NEW TABLE AS placed
      FOR EACH STATEMENT EXECUTE FUNCTION ledger_reserve_holds()
  `,
  `
    CREATE TRIGGER ledger_holds_release AFTER UPDATE ON ledger_holds REFERENCING OLD TABLE AS was
      FOR EACH STATEMENT EXECUTE FUNCTION ledger_release_holds()
  `,
  ...refuse(
    'ledger_accounts',
    'birth',
    `BEFORE INSERT ON ledger_accounts FOR EACH ROW
      WHEN (NEW.balance <> 0 OR NEW.held <> 0 OR NEW.sequence <> 0)`,
  ),
  // Depth 0 is a statement of a client's; the triggers above run at depth 1.
  ...refuse(
    'ledger_accounts',
    'move',
    `BEFORE UPDATE OF balance, held, sequence, last_entry_at ON ledger_accounts
      FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0)`,
  ),
  ...refuse(
    'ledger_accounts',
    'change',
    `BEFORE UPDATE OF id, kind, owner, currency, allow_negative, created_at
      ON ledger_accounts FOR EACH STATEMENT`,
  ),
  ...refuse('ledger_accounts', 'delete', `BEFORE DELETE OR TRUNCATE ON ledger_accounts FOR EACH STATEMENT`),
  ...refuse('ledger_transfers', 'change', `BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transfers FOR EACH STATEMENT`),
  ...refuse(
    'ledger_entries',
    'insert',
    `BEFORE INSERT ON ledger_entries
      FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0)`,
  ),
  ...refuse('ledger_entries', 'change', `BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_entries FOR EACH STATEMENT`),
  ...refuse('ledger_holds', 'birth', `BEFORE INSERT ON ledger_holds FOR EACH ROW WHEN (NEW.status <> 'ACTIVE')`),
  // The one UPDATE that passes resolves an active hold and changes nothing else of it.
  ...refuse(
    'ledger_holds',
    'change',
    `BEFORE UPDATE ON ledger_holds FOR EACH ROW
      WHEN (NOT (
        OLD.status = 'ACTIVE' AND NEW.status <> 'ACTIVE'
        AND ROW (NEW.id, NEW.account, NEW.credit_account, NEW.amount, NEW.expires_at, NEW.created_at, NEW.currency,
              NEW.placed_by, NEW.request_id, NEW.description)
            IS NOT DISTINCT FROM
            ROW (OLD.id, OLD.account, OLD.credit_account, OLD.amount, OLD.expires_at, OLD.created_at, OLD.currency,
              OLD.placed_by, OLD.request_id, OLD.description)
      ))`,
  ),
  ...refuse('ledger_holds', 'delete', `BEFORE DELETE OR TRUNCATE ON ledger_holds FOR EACH STATEMENT`),
];

/** ALWAYS: also when a session sets session_replication_role to replica. */
function refuse(table: string, what: string, event: string): string[] {
  const trigger = `${table}_refuse_${what}`;
  return [
    `CREATE TRIGGER ${trigger} ${event} EXECUTE FUNCTION ledger_refuse_change()`,
    `ALTER TABLE ${table} ENABLE ALWAYS TRIGGER ${trigger}`,
  ];
}
