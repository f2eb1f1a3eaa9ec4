import type { MigrationInterface, QueryRunner } from 'typeorm';

/** The table of `RecordPaymentHandler`. */
export class CreateExamplePayments1795300000000 implements MigrationInterface {
  readonly name = 'CreateExamplePayments1795300000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE example_payments (
        payment_intent text NOT NULL,
        event uuid NOT NULL,
        amount bigint NOT NULL,
        currency text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT example_payments_amount_check CHECK (amount > 0),
        CONSTRAINT example_payments_pkey PRIMARY KEY (payment_intent)
      )
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE example_payments`);
  }
}
