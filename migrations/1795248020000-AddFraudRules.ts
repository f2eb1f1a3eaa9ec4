import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Rules that payments are held against, what they made of each, and what payments say of who pays. The indexes are made while the
 * table is locked: payments came with the migration before, and no release had them.
 */
export class AddFraudRules1795248020000 implements MigrationInterface {
  readonly name = 'AddFraudRules1795248020000';

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of [...COLUMNS, ...TABLES, ...INDEXES]) await runner.query(statement);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE payment_rule_evaluations, fraud_rules`);
    await runner.query(`
      DROP INDEX payments_user_created_idx, payments_ip_idx, payments_card_idx, payments_email_idx, payments_device_idx
    `);
    await runner.query(`UPDATE payments SET status = 'canceled' WHERE status = 'declined'`);
    await runner.query(`
      ALTER TABLE payments
        DROP CONSTRAINT payments_status_check,
        ADD CONSTRAINT payments_status_check CHECK (status IN ('created', 'requires_action', 'processing', 'requires_capture', 'succeeded', 'failed', 'canceled')),
        DROP COLUMN ip,
        DROP COLUMN country,
        DROP COLUMN card_fingerprint,
        DROP COLUMN device_id,
        DROP COLUMN held_for,
        DROP COLUMN released_at
    `);
  }
}

const COLUMNS = [
  `
    ALTER TABLE payments
      DROP CONSTRAINT payments_status_check,
      ADD CONSTRAINT payments_status_check CHECK (status IN ('created', 'requires_action', 'processing', 'requires_capture', 'succeeded', 'failed', 'canceled', 'declined')),
      ADD COLUMN ip inet,
      ADD COLUMN country text COLLATE "C",
      ADD COLUMN card_fingerprint text COLLATE "C",
      ADD COLUMN device_id text COLLATE "C",
      ADD COLUMN held_for text,
      ADD COLUMN released_at timestamptz
  `,
];

const TABLES = [
  `
    CREATE TABLE fraud_rules (
      id uuid NOT NULL,
      name text NOT NULL,
      kind text NOT NULL,
      action text NOT NULL,
      mode text NOT NULL,
      subject text,
      window_seconds integer,
      upper_limit bigint,
      currency text,
      list_values text[],
      created_by text NOT NULL,
      created_at timestamptz NOT NULL DEFAULT now(),
      updated_at timestamptz NOT NULL DEFAULT now(),
      CONSTRAINT fraud_rules_limit_check CHECK (upper_limit >= 0),
      CONSTRAINT fraud_rules_window_check CHECK (window_seconds > 0),
      CONSTRAINT fraud_rules_subject_check CHECK (subject IN ('user', 'ip', 'card', 'email', 'device', 'country')),
      CONSTRAINT fraud_rules_mode_check CHECK (mode IN ('active', 'shadow', 'off')),
      CONSTRAINT fraud_rules_action_check CHECK (action IN ('block', 'allow', 'decline', 'review')),
      CONSTRAINT fraud_rules_kind_check CHECK (kind IN ('amount', 'count', 'sum', 'failed_attempts', 'distinct_cards', 'new_account', 'country_mismatch', 'list')),
      CONSTRAINT fraud_rules_pkey PRIMARY KEY (id)
    )
  `,
  `
    CREATE TABLE payment_rule_evaluations (
      payment uuid NOT NULL,
      rule uuid NOT NULL,
      name text NOT NULL,
      kind text NOT NULL,
      action text NOT NULL,
      mode text NOT NULL,
      outcome text NOT NULL,
      figure bigint,
      threshold bigint NOT NULL,
      at timestamptz NOT NULL DEFAULT clock_timestamp(),
      CONSTRAINT payment_rule_evaluations_outcome_check CHECK (outcome IN ('matched', 'passed', 'skipped')),
      CONSTRAINT payment_rule_evaluations_pkey PRIMARY KEY (payment, rule),
      CONSTRAINT payment_rule_evaluations_payment_fkey FOREIGN KEY (payment) REFERENCES payments (id)
    )
  `,
];

const INDEXES = [
  `CREATE INDEX payments_user_created_idx ON payments (user_id, created_at)`,
  `CREATE INDEX payments_ip_idx ON payments (ip, created_at) WHERE ip IS NOT NULL`,
  `CREATE INDEX payments_card_idx ON payments (card_fingerprint, created_at) WHERE card_fingerprint IS NOT NULL`,
  `CREATE INDEX payments_email_idx ON payments (email, created_at) WHERE email IS NOT NULL`,
  `CREATE INDEX payments_device_idx ON payments (device_id, created_at) WHERE device_id IS NOT NULL`,
];
