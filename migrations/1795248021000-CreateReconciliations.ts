import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Comparisons of payments with their providers and the ledger: the runs, what a run works on, and what it found. And the sandbox's
 * own list of what moved, with what it has made so far.
 */
export class CreateReconciliations1795248021000 implements MigrationInterface {
  readonly name = 'CreateReconciliations1795248021000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...TABLES, ...INDEXES, ...SANDBOX]) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE reconciliation_movements, reconciliation_differences, reconciliations`);
    await runner.query(`DROP TABLE sandbox_movements`);
  }
}

const TABLES = [
  `
    CREATE TABLE sandbox_movements (
      id uuid NOT NULL,
      kind text NOT NULL,
      object text NOT NULL,
      charge text NOT NULL,
      payment uuid,
      refund uuid,
      amount bigint NOT NULL,
      currency text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT sandbox_movements_pkey PRIMARY KEY (id)
    )
  `,
  `
    CREATE TABLE reconciliations (
      id uuid NOT NULL,
      provider text NOT NULL,
      mode text NOT NULL,
      window_from timestamptz NOT NULL,
      window_to timestamptz NOT NULL,
      occasion text,
      status text NOT NULL DEFAULT 'queued',
      step text NOT NULL DEFAULT 'collecting',
      worker uuid,
      collected_to timestamptz,
      movements integer NOT NULL DEFAULT 0,
      compared integer NOT NULL DEFAULT 0,
      asked integer NOT NULL DEFAULT 0,
      report jsonb,
      error text,
      created_by text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      started_at timestamptz,
      finished_at timestamptz,
      CONSTRAINT reconciliations_report_check CHECK ((report IS NOT NULL) = (status = 'completed')),
      CONSTRAINT reconciliations_window_check CHECK (window_from < window_to),
      CONSTRAINT reconciliations_step_check CHECK (step IN ('collecting', 'comparing', 'healing', 'ledger', 'concluding')),
      CONSTRAINT reconciliations_status_check CHECK (status IN ('queued', 'running', 'completed', 'failed')),
      CONSTRAINT reconciliations_mode_check CHECK (mode IN ('test', 'live')),
      CONSTRAINT reconciliations_provider_check CHECK (provider IN ('stripe', 'paystack', 'sandbox')),
      CONSTRAINT reconciliations_pkey PRIMARY KEY (id)
    )
  `,
  `
    CREATE TABLE reconciliation_differences (
      id uuid NOT NULL,
      reconciliation uuid NOT NULL,
      provider text NOT NULL,
      mode text NOT NULL,
      kind text NOT NULL,
      state text NOT NULL,
      movement_kind text NOT NULL,
      movement text COLLATE "C" NOT NULL,
      object text COLLATE "C",
      payment uuid,
      refund uuid,
      reference text COLLATE "C",
      provider_amount bigint,
      provider_currency text COLLATE "C",
      booked_amount bigint,
      booked_currency text COLLATE "C",
      moved_at timestamptz NOT NULL,
      note text,
      resolved_by uuid,
      updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT reconciliation_differences_state_check CHECK (state IN ('open', 'healed', 'resolved', 'superseded', 'noted')),
      CONSTRAINT reconciliation_differences_kind_check CHECK (kind IN ('missing_here', 'missing_there', 'amount', 'currency', 'status', 'in_transit', 'foreign')),
      CONSTRAINT reconciliation_differences_pkey PRIMARY KEY (id),
      CONSTRAINT reconciliation_differences_reconciliation_fkey FOREIGN KEY (reconciliation) REFERENCES reconciliations (id)
    )
  `,
  `
    CREATE TABLE reconciliation_movements (
      reconciliation uuid NOT NULL,
      id text COLLATE "C" NOT NULL,
      kind text NOT NULL,
      object text COLLATE "C",
      charge text COLLATE "C",
      claimed_payment uuid,
      claimed_refund uuid,
      amount bigint,
      currency text COLLATE "C" NOT NULL,
      fee bigint NOT NULL DEFAULT 0,
      fee_currency text COLLATE "C" NOT NULL,
      moved_at timestamptz NOT NULL,
      is_reversal boolean NOT NULL DEFAULT false,
      is_pending boolean NOT NULL DEFAULT false,
      is_undone boolean NOT NULL DEFAULT false,
      is_available boolean NOT NULL DEFAULT true,
      outcome text,
      first_outcome text,
      payment uuid,
      refund uuid,
      reference text COLLATE "C",
      booked bigint,
      booked_currency text COLLATE "C",
      note text,
      CONSTRAINT reconciliation_movements_kind_check CHECK (kind IN ('charge', 'refund', 'dispute', 'reinstatement', 'fee', 'other')),
      CONSTRAINT reconciliation_movements_pkey PRIMARY KEY (reconciliation, id),
      CONSTRAINT reconciliation_movements_reconciliation_fkey FOREIGN KEY (reconciliation) REFERENCES reconciliations (id)
    )
  `,
];

const INDEXES = [
  `CREATE INDEX sandbox_movements_created_at_idx ON sandbox_movements (created_at, id)`,
  `CREATE INDEX reconciliations_provider_idx ON reconciliations (provider, id)`,
  `CREATE UNIQUE INDEX reconciliations_occasion_key ON reconciliations (occasion, provider) WHERE occasion IS NOT NULL`,
  `CREATE INDEX reconciliations_unfinished_idx ON reconciliations (provider, window_from) WHERE status IN ('queued', 'running')`,
  `CREATE INDEX reconciliation_differences_open_idx ON reconciliation_differences (provider, mode, movement) WHERE state = 'open'`,
  `CREATE INDEX reconciliation_differences_state_idx ON reconciliation_differences (reconciliation, state, id)`,
  `CREATE INDEX reconciliation_differences_reconciliation_idx ON reconciliation_differences (reconciliation, id)`,
  `CREATE INDEX reconciliation_movements_payment_idx ON reconciliation_movements (reconciliation, payment) WHERE payment IS NOT NULL`,
  `CREATE INDEX reconciliation_movements_reference_idx ON reconciliation_movements (reconciliation, reference) WHERE reference IS NOT NULL`,
];

/** When a refund was made nobody wrote down. */
const SANDBOX = [
  `
    INSERT INTO sandbox_movements (id, kind, object, charge, payment, refund, amount, currency, created_at)
    SELECT uuidv7(), 'charge', id, id, payment, NULL, received, currency, created_at
    FROM sandbox_charges
    WHERE received > 0
  `,
  `
    INSERT INTO sandbox_movements (id, kind, object, charge, payment, refund, amount, currency, created_at)
    SELECT uuidv7(), 'refund', r.id, r.charge, c.payment, r.refund, way.sign * r.amount, c.currency, c.created_at
    FROM sandbox_refunds AS r
    JOIN sandbox_charges AS c ON c.id = r.charge
    JOIN (VALUES (-1), (1)) AS way (sign) ON way.sign = -1 OR r.status = 'failed'
  `,
];
