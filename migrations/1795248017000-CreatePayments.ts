import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Payments, the history of their charges, refunds, and every call to a provider; and what the sandbox, a provider without money,
 * knows on its side. Money itself is in the ledger.
 */
export class CreatePayments1795248017000 implements MigrationInterface {
  readonly name = 'CreatePayments1795248017000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...TABLES, ...INDEXES]) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE sandbox_events, sandbox_refunds, sandbox_charges`);
    await runner.query(`DROP TABLE provider_operations, payment_refunds, payment_transitions, payments`);
  }
}

const TABLES = [
  `
    CREATE TABLE payments (
      id uuid NOT NULL,
      user_id text COLLATE "C" NOT NULL,
      provider text NOT NULL,
      mode text NOT NULL,
      provider_reference text COLLATE "C",
      reference text COLLATE "C",
      amount bigint NOT NULL,
      currency text COLLATE "C" NOT NULL,
      capture text NOT NULL,
      status text NOT NULL,
      settled_amount bigint,
      settled_currency text COLLATE "C",
      settled_to text,
      review text,
      payment_method text,
      provider_payment_method text,
      email text,
      description text,
      metadata jsonb,
      authorization_url text,
      access_code text,
      failure jsonb,
      next_check_at timestamptz,
      checks integer NOT NULL DEFAULT 0,
      created_by text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT payments_succeeded_check CHECK (status <> 'succeeded' OR settled_to IS NOT NULL),
      CONSTRAINT payments_settled_to_check CHECK (settled_to IN ('wallet', 'suspense')),
      CONSTRAINT payments_settled_check CHECK (num_nulls(settled_amount, settled_currency, settled_to) IN (0, 3)),
      CONSTRAINT payments_amount_check CHECK (amount BETWEEN 1 AND 9007199254740991),
      CONSTRAINT payments_status_check CHECK (status IN ('created', 'requires_action', 'processing', 'requires_capture', 'succeeded', 'failed', 'canceled')),
      CONSTRAINT payments_capture_check CHECK (capture IN ('automatic', 'manual')),
      CONSTRAINT payments_mode_check CHECK (mode IN ('test', 'live')),
      CONSTRAINT payments_provider_check CHECK (provider IN ('stripe', 'paystack', 'sandbox')),
      CONSTRAINT payments_pkey PRIMARY KEY (id)
    )
  `,
  `
    CREATE TABLE payment_transitions (
      payment uuid NOT NULL,
      sequence integer NOT NULL,
      from_status text,
      to_status text NOT NULL,
      reason text,
      source text NOT NULL,
      actor text NOT NULL,
      event uuid,
      at timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT payment_transitions_pkey PRIMARY KEY (payment, sequence),
      CONSTRAINT payment_transitions_payment_fkey FOREIGN KEY (payment) REFERENCES payments (id)
    )
  `,
  `
    CREATE TABLE payment_refunds (
      id uuid NOT NULL,
      payment uuid NOT NULL,
      provider_reference text COLLATE "C",
      amount bigint NOT NULL,
      currency text COLLATE "C" NOT NULL,
      status text NOT NULL,
      booking text NOT NULL,
      reason text,
      failure jsonb,
      created_by text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT payment_refunds_amount_check CHECK (amount BETWEEN 1 AND 9007199254740991),
      CONSTRAINT payment_refunds_booking_check CHECK (booking IN ('reserved', 'paid', 'returned', 'suspended')),
      CONSTRAINT payment_refunds_status_check CHECK (status IN ('pending', 'requires_action', 'succeeded', 'failed', 'canceled')),
      CONSTRAINT payment_refunds_pkey PRIMARY KEY (id),
      CONSTRAINT payment_refunds_payment_fkey FOREIGN KEY (payment) REFERENCES payments (id)
    )
  `,
  `
    CREATE TABLE provider_operations (
      id uuid NOT NULL,
      payment uuid NOT NULL,
      kind text NOT NULL,
      refund uuid,
      amount bigint,
      outcome text NOT NULL DEFAULT 'pending',
      failure jsonb,
      request_scope text,
      request_key text,
      request_fingerprint text,
      created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
      finished_at timestamptz,
      CONSTRAINT provider_operations_refund_check CHECK ((kind = 'refund') = (refund IS NOT NULL)),
      CONSTRAINT provider_operations_outcome_check CHECK (outcome IN ('pending', 'succeeded', 'failed', 'unknown')),
      CONSTRAINT provider_operations_kind_check CHECK (kind IN ('create', 'capture', 'cancel', 'refund')),
      CONSTRAINT provider_operations_pkey PRIMARY KEY (id),
      CONSTRAINT provider_operations_payment_fkey FOREIGN KEY (payment) REFERENCES payments (id)
    )
  `,
  `
    CREATE TABLE sandbox_charges (
      id text NOT NULL,
      payment uuid NOT NULL,
      create_key text NOT NULL,
      amount bigint NOT NULL,
      received bigint NOT NULL DEFAULT 0,
      currency text NOT NULL,
      capture text NOT NULL,
      status text NOT NULL,
      failure jsonb,
      due_at timestamptz,
      created_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT sandbox_charges_amount_check CHECK (amount > 0 AND received BETWEEN 0 AND amount),
      CONSTRAINT sandbox_charges_pkey PRIMARY KEY (id)
    )
  `,
  `
    CREATE TABLE sandbox_refunds (
      id text NOT NULL,
      charge text NOT NULL,
      refund uuid NOT NULL,
      key text NOT NULL,
      amount bigint NOT NULL,
      status text NOT NULL,
      due_at timestamptz,
      CONSTRAINT sandbox_refunds_pkey PRIMARY KEY (id)
    )
  `,
  `
    CREATE TABLE sandbox_events (
      id uuid NOT NULL,
      type text NOT NULL,
      data jsonb NOT NULL,
      send_at timestamptz NOT NULL,
      CONSTRAINT sandbox_events_pkey PRIMARY KEY (id)
    )
  `,
];

const INDEXES = [
  `CREATE INDEX sandbox_charges_due_at_idx ON sandbox_charges (due_at) WHERE due_at IS NOT NULL`,
  `CREATE UNIQUE INDEX sandbox_charges_payment_key ON sandbox_charges (payment)`,
  `CREATE UNIQUE INDEX sandbox_charges_create_key_key ON sandbox_charges (create_key)`,
  `CREATE INDEX sandbox_events_send_at_idx ON sandbox_events (send_at)`,
  `CREATE INDEX sandbox_refunds_due_at_idx ON sandbox_refunds (due_at) WHERE due_at IS NOT NULL`,
  `CREATE INDEX sandbox_refunds_charge_idx ON sandbox_refunds (charge)`,
  `CREATE UNIQUE INDEX sandbox_refunds_key_key ON sandbox_refunds (key)`,
  `CREATE INDEX payments_next_check_at_idx ON payments (next_check_at) WHERE next_check_at IS NOT NULL`,
  `CREATE INDEX payments_review_idx ON payments (id) WHERE review IS NOT NULL`,
  `CREATE INDEX payments_status_idx ON payments (status, id)`,
  `CREATE INDEX payments_reference_idx ON payments (reference, user_id) WHERE reference IS NOT NULL`,
  `CREATE INDEX payments_user_id_idx ON payments (user_id, id)`,
  `CREATE UNIQUE INDEX payments_provider_reference_key ON payments (provider_reference, provider, mode) WHERE provider_reference IS NOT NULL`,
  `CREATE UNIQUE INDEX payment_refunds_provider_reference_key ON payment_refunds (provider_reference, payment) WHERE provider_reference IS NOT NULL`,
  `CREATE INDEX payment_refunds_payment_idx ON payment_refunds (payment, id)`,
  `CREATE INDEX provider_operations_request_idx ON provider_operations (request_key, request_scope) WHERE request_key IS NOT NULL`,
  `CREATE INDEX provider_operations_payment_idx ON provider_operations (payment, id)`,
  `CREATE UNIQUE INDEX provider_operations_open_key ON provider_operations (payment) WHERE outcome IN ('pending', 'unknown') AND kind <> 'refund'`,
];
