/** At most this many violations are named; the counts beside them are of all. */
export const MAX_NAMED = 100;

/** One set-based question to the ledger; it has no rows when the invariant holds. */
export interface Check {
  readonly invariant: string;
  /** Rows of `message`, `account` and `transfer`, the latter two null where none is to blame. */
  readonly sql: string;
}

/** Every account's entries in order: a scan of ledger_entries_pkey. */
const CHAIN = `
  SELECT account, sequence, transfer, amount, balance_after, created_at,
    lag(sequence, 1, 0::bigint) OVER chain AS previous_sequence,
    lag(balance_after, 1, 0::bigint) OVER chain AS previous_balance,
    lag(created_at) OVER chain AS previous_at
  FROM ledger_entries
  WINDOW chain AS (PARTITION BY account ORDER BY sequence)`;

/** The two legs a transfer must have, each with the key of its entry. */
const LEGS = `
  SELECT id, debit_account AS account, debit_sequence AS sequence, -amount AS amount,
    debit_balance_after AS balance_after, currency, created_at
  FROM ledger_transfers
  UNION ALL
  SELECT id, credit_account, credit_sequence, amount, credit_balance_after, currency, created_at
  FROM ledger_transfers`;

/** The invariants of money, each as the search for what breaks it. */
export const CHECKS: readonly Check[] = [
  {
    invariant: 'balances sum to zero',
    sql: `
      SELECT format('the balances in %s sum to %s', currency, sum(balance)) AS message, NULL AS account, NULL AS transfer
      FROM ledger_accounts
      GROUP BY currency
      HAVING sum(balance) <> 0`,
  },
  {
    invariant: 'entries sum to zero',
    sql: `
      SELECT format('the entries in %s sum to %s', a.currency, sum(e.total)) AS message, NULL AS account, NULL AS transfer
      FROM (SELECT account, sum(amount) AS total FROM ledger_entries GROUP BY account) AS e
      JOIN ledger_accounts AS a ON a.id = e.account
      GROUP BY a.currency
      HAVING sum(e.total) <> 0`,
  },
  {
    invariant: 'a balance is the sum of its entries',
    sql: `
      SELECT
        format('balance %s after %s entries, its %s entries up to sequence %s sum to %s', a.balance, a.sequence,
          coalesce(e.entries, 0), coalesce(e.last, 0), coalesce(e.total, 0)) AS message,
        coalesce(a.id, e.account) AS account, NULL AS transfer
      FROM ledger_accounts AS a
      FULL JOIN (
        SELECT account, count(*) AS entries, max(sequence) AS last, sum(amount) AS total
        FROM ledger_entries
        GROUP BY account
      ) AS e ON e.account = a.id
      WHERE a.id IS NULL OR a.balance <> coalesce(e.total, 0) OR a.sequence <> coalesce(e.last, 0)
        OR a.sequence <> coalesce(e.entries, 0)`,
  },
  {
    invariant: 'entries follow one another',
    sql: `
      SELECT
        format('entry %s leaves %s, the one before it, %s, left %s', sequence, balance_after, previous_sequence,
          previous_balance) AS message,
        account, transfer
      FROM (${CHAIN}) AS entry
      WHERE sequence <> previous_sequence + 1 OR balance_after <> previous_balance + amount OR created_at < previous_at`,
  },
  {
    invariant: 'an account stays within its bounds',
    sql: `
      SELECT format('balance %s, held %s', balance, held) AS message, id AS account, NULL AS transfer
      FROM ledger_accounts
      WHERE held < 0 OR (NOT allow_negative AND (balance < 0 OR held > balance))`,
  },
  {
    invariant: 'a debt is owed by the user whose account names it',
    sql: `
      SELECT
        CASE WHEN d.id IS NULL THEN format('it names the debt account %s, which is not there', u.debt_account)
          WHEN u.id IS NULL THEN 'no account names it'
          ELSE format('balance %s, held %s, named by the account of %s', d.balance, d.held, u.owner) END AS message,
        coalesce(d.id, u.id) AS account, NULL AS transfer
      FROM (SELECT * FROM ledger_accounts WHERE kind = 'debt') AS d
      FULL JOIN (SELECT * FROM ledger_accounts WHERE debt_account IS NOT NULL) AS u ON u.debt_account = d.id
      WHERE d.id IS NULL OR u.id IS NULL OR d.balance > 0 OR d.held <> 0
        OR (u.kind, u.owner, u.currency) <> ('user', d.owner, d.currency)`,
  },
  {
    invariant: 'what is held is the sum of the active holds',
    sql: `
      SELECT format('held %s, its active holds sum to %s', a.held, coalesce(h.total, 0)) AS message, a.id AS account,
        NULL AS transfer
      FROM ledger_accounts AS a
      LEFT JOIN (
        SELECT account, sum(amount) AS total FROM ledger_holds WHERE status = 'ACTIVE' GROUP BY account
      ) AS h ON h.account = a.id
      WHERE a.held <> coalesce(h.total, 0)`,
  },
  {
    invariant: 'a transfer has its two entries',
    sql: `
      SELECT
        format('%s of %s: %s', leg.amount, leg.currency,
          CASE WHEN e.account IS NULL THEN 'the entry is missing' ELSE 'the entry says something else' END) AS message,
        leg.account, leg.id AS transfer
      FROM (${LEGS}) AS leg
      LEFT JOIN ledger_entries AS e ON e.account = leg.account AND e.sequence = leg.sequence
      LEFT JOIN ledger_accounts AS a ON a.id = leg.account
      WHERE (e.transfer, e.amount, e.balance_after, e.created_at, a.currency)
        IS DISTINCT FROM (leg.id, leg.amount, leg.balance_after, leg.created_at, leg.currency)`,
  },
  {
    invariant: 'an entry has its transfer',
    sql: `
      SELECT format('entry %s', e.sequence) AS message, e.account, e.transfer
      FROM ledger_entries AS e
      LEFT JOIN ledger_transfers AS t ON t.id = e.transfer
        AND ((t.debit_account, t.debit_sequence) = (e.account, e.sequence)
          OR (t.credit_account, t.credit_sequence) = (e.account, e.sequence))
      WHERE t.id IS NULL`,
  },
  {
    invariant: 'a transfer is reversed once, by its mirror',
    sql: `
      SELECT
        CASE WHEN t.id IS NULL THEN format('it reverses %s, which is not there', r.reverses)
          ELSE format('it does not mirror %s, or is not the only one', r.reverses) END AS message,
        r.debit_account AS account, r.id AS transfer
      FROM (
        SELECT *, count(*) OVER (PARTITION BY reverses) AS reversals FROM ledger_transfers WHERE reverses IS NOT NULL
      ) AS r
      LEFT JOIN ledger_transfers AS t ON t.id = r.reverses
      WHERE r.reversals > 1
        OR (t.debit_account, t.credit_account, t.amount, t.currency)
          IS DISTINCT FROM (r.credit_account, r.debit_account, r.amount, r.currency)`,
  },
  {
    invariant: 'a hold is resolved once, and captured by its transfer',
    sql: `
      SELECT format('hold %s is %s', coalesce(h.id, t.hold), coalesce(h.status, 'missing')) AS message,
        coalesce(h.account, t.debit_account) AS account, coalesce(t.id, h.transfer) AS transfer
      FROM (SELECT * FROM ledger_holds WHERE status = 'CAPTURED') AS h
      FULL JOIN (SELECT * FROM ledger_transfers WHERE hold IS NOT NULL) AS t ON t.hold = h.id
      WHERE (h.transfer, h.captured, h.account, h.credit_account)
        IS DISTINCT FROM (t.id, t.amount, t.debit_account, t.credit_account)`,
  },
  {
    invariant: 'a reference is used once',
    sql: `
      SELECT format('category %s, reference %s, %s times', category, reference, count(*)) AS message, NULL AS account,
        min(id::text) AS transfer
      FROM ledger_transfers
      WHERE reference IS NOT NULL
      GROUP BY category, reference
      HAVING count(*) > 1`,
  },
];

/** How much was checked. */
export const EXTENT = `
  SELECT
    clock_timestamp() AS at,
    (SELECT count(*) FROM ledger_accounts)::float8 AS accounts,
    (SELECT count(*) FROM ledger_entries)::float8 AS entries`;

/** As text: a sum of many balances has more digits than a number holds. */
export const SUMS = `
  SELECT currency, sum(balance)::text AS sum FROM ledger_accounts GROUP BY currency ORDER BY currency`;
