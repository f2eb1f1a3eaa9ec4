import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Figures of payments by the hour, and the indexes by which what happened in an hour is found. The hours of the past are added by the
 * sweep, a day at a time. The indexes are built while payments go on; whatever was cut off is done again.
 */
export class AddPaymentAnalytics1795248022000 implements MigrationInterface {
  readonly name = 'AddPaymentAnalytics1795248022000';
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    for (const statement of TABLES) await runner.query(statement);
    for (const [name, index] of INDEXES) {
      // A build that was cut off leaves an index behind that is not valid.
      await runner.query(`DROP INDEX CONCURRENTLY IF EXISTS ${name}`);
      await runner.query(`CREATE INDEX CONCURRENTLY ${name} ON ${index}`);
    }
  }

  async down(runner: QueryRunner): Promise<void> {
    for (const [name] of INDEXES) await runner.query(`DROP INDEX IF EXISTS ${name}`);
    await runner.query(`DROP TABLE IF EXISTS payment_hours, payment_hours_progress`);
  }
}

const TABLES = [
  `DROP TABLE IF EXISTS payment_hours, payment_hours_progress`,
  `
    CREATE TABLE payment_hours (
      hour timestamptz NOT NULL,
      mode text NOT NULL,
      provider text NOT NULL,
      currency text COLLATE "C" NOT NULL,
      created bigint NOT NULL,
      succeeded bigint NOT NULL,
      failed bigint NOT NULL,
      canceled bigint NOT NULL,
      declined bigint NOT NULL,
      refunds bigint NOT NULL,
      returned_refunds bigint NOT NULL,
      disputes bigint NOT NULL,
      volume numeric NOT NULL,
      refunded_volume numeric NOT NULL,
      returned_volume numeric NOT NULL,
      withdrawn_volume numeric NOT NULL,
      reinstated_volume numeric NOT NULL,
      CONSTRAINT payment_hours_hour_check CHECK (hour = date_trunc('hour', hour, 'UTC')),
      CONSTRAINT payment_hours_pkey PRIMARY KEY (hour, mode, provider, currency)
    )
  `,
  `
    CREATE TABLE payment_hours_progress (
      one boolean NOT NULL DEFAULT true,
      final_to timestamptz,
      CONSTRAINT payment_hours_progress_one_check CHECK (one),
      CONSTRAINT payment_hours_progress_pkey PRIMARY KEY (one)
    )
  `,
  `INSERT INTO payment_hours_progress DEFAULT VALUES`,
];

const INDEXES = [
  ['payments_created_at_idx', `payments (created_at)`],
  ['payment_transitions_over_idx', `payment_transitions (at) WHERE to_status IN ('failed', 'canceled', 'declined')`],
  ['disputes_created_at_idx', `disputes (created_at)`],
] as const;
