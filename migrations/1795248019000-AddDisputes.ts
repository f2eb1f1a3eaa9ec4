import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Disputes and the money they moved, refunds that were made at the provider, and how often a provider rang about a payment; and the
 * disputes of the sandbox.
 */
export class AddDisputes1795248019000 implements MigrationInterface {
  readonly name = 'AddDisputes1795248019000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...TABLES, ...INDEXES, ...COLUMNS]) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`ALTER TABLE payment_refunds DROP COLUMN origin`);
    await runner.query(`ALTER TABLE payments DROP COLUMN rings`);
    await runner.query(`DROP TABLE sandbox_disputes, dispute_movements, disputes`);
  }
}

const TABLES = [
  `
    CREATE TABLE disputes (
      id uuid NOT NULL,
      payment uuid NOT NULL,
      user_id text COLLATE "C" NOT NULL,
      provider text NOT NULL,
      mode text NOT NULL,
      provider_reference text COLLATE "C" NOT NULL,
      status text NOT NULL,
      provider_status text NOT NULL,
      reason text,
      amount bigint NOT NULL,
      currency text COLLATE "C" NOT NULL,
      withdrawn bigint NOT NULL DEFAULT '0',
      reinstated bigint NOT NULL DEFAULT '0',
      opened_at timestamptz NOT NULL,
      closed_at timestamptz,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT disputes_funds_check CHECK (withdrawn >= 0 AND reinstated >= 0),
      CONSTRAINT disputes_amount_check CHECK (amount BETWEEN 0 AND 9007199254740991),
      CONSTRAINT disputes_status_check CHECK (status IN ('inquiry', 'open', 'won', 'lost', 'closed')),
      CONSTRAINT disputes_pkey PRIMARY KEY (id),
      CONSTRAINT disputes_payment_fkey FOREIGN KEY (payment) REFERENCES payments (id)
    )
  `,
  `
    CREATE TABLE dispute_movements (
      dispute uuid NOT NULL,
      key text COLLATE "C" NOT NULL,
      kind text NOT NULL,
      amount bigint NOT NULL,
      currency text COLLATE "C" NOT NULL,
      account text NOT NULL,
      waiting boolean NOT NULL DEFAULT false,
      at timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT dispute_movements_amount_check CHECK (amount BETWEEN 1 AND 9007199254740991),
      CONSTRAINT dispute_movements_waiting_check CHECK (account = 'suspense' OR NOT waiting),
      CONSTRAINT dispute_movements_account_check CHECK (account IN ('wallet', 'suspense')),
      CONSTRAINT dispute_movements_kind_check CHECK (kind IN ('withdrawn', 'reinstated')),
      CONSTRAINT dispute_movements_pkey PRIMARY KEY (dispute, key),
      CONSTRAINT dispute_movements_dispute_fkey FOREIGN KEY (dispute) REFERENCES disputes (id)
    )
  `,
  `
    CREATE TABLE sandbox_disputes (
      id text NOT NULL,
      charge text NOT NULL,
      amount bigint NOT NULL,
      status text NOT NULL,
      due_at timestamptz,
      created_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT sandbox_disputes_status_check CHECK (status IN ('announced', 'needs_response', 'won', 'lost')),
      CONSTRAINT sandbox_disputes_pkey PRIMARY KEY (id)
    )
  `,
];

const INDEXES = [
  `CREATE UNIQUE INDEX disputes_provider_reference_key ON disputes (provider_reference, provider, mode)`,
  `CREATE INDEX disputes_payment_idx ON disputes (payment, id)`,
  `CREATE INDEX disputes_user_id_idx ON disputes (user_id, id)`,
  `CREATE INDEX disputes_status_idx ON disputes (status, id)`,
  `CREATE UNIQUE INDEX sandbox_disputes_charge_key ON sandbox_disputes (charge)`,
  `CREATE INDEX sandbox_disputes_due_at_idx ON sandbox_disputes (due_at) WHERE due_at IS NOT NULL`,
];

const COLUMNS = [
  `ALTER TABLE payments ADD rings integer NOT NULL DEFAULT 0`,
  `
    ALTER TABLE payment_refunds
      ADD origin text NOT NULL DEFAULT 'api',
      ADD CONSTRAINT payment_refunds_origin_check CHECK (origin IN ('api', 'provider'))
  `,
];
