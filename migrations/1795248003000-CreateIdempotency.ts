import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What was claimed with an idempotency key and answered, and how often that was of use. */
export class CreateIdempotency1795248003000 implements MigrationInterface {
  readonly name = 'CreateIdempotency1795248003000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE idempotency_records (
        created_at timestamptz NOT NULL DEFAULT now(),
        expires_at timestamptz NOT NULL,
        locked_until timestamptz,
        owner uuid,
        status smallint,
        scope text COLLATE "C" NOT NULL,
        key text COLLATE "C" NOT NULL,
        fingerprint bytea NOT NULL,
        state text NOT NULL,
        content_type text,
        body text,
        CONSTRAINT idempotency_records_fingerprint_check CHECK (octet_length(fingerprint) = 32),
        CONSTRAINT idempotency_records_state_check CHECK (CASE state WHEN 'completed' THEN owner IS NULL AND locked_until IS NULL AND status IS NOT NULL AND content_type IS NOT NULL AND body IS NOT NULL WHEN 'in_flight' THEN owner IS NOT NULL AND locked_until IS NOT NULL AND status IS NULL AND content_type IS NULL AND body IS NULL ELSE false END),
        CONSTRAINT idempotency_records_pkey PRIMARY KEY (scope, key)
      )
    `);
    await runner.query(`
      CREATE INDEX idempotency_records_expires_at_idx ON idempotency_records (expires_at)
    `);
    await runner.query(`
      -- The answer to a batch of a thousand has hundreds of kilobytes; compressing them would hold up its transaction.
      ALTER TABLE idempotency_records ALTER COLUMN body SET STORAGE EXTERNAL
    `);
    await runner.query(`
      -- Every record is deleted once, as many as come in: the default of 20 % would let dead rows gather by the million.
      ALTER TABLE idempotency_records SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 10000)
    `);
    await runner.query(`
      CREATE TABLE idempotency_statistics (
        outcome text NOT NULL,
        requests bigint NOT NULL,
        CONSTRAINT idempotency_statistics_pkey PRIMARY KEY (outcome)
      )
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE idempotency_statistics`);
    await runner.query(`DROP TABLE idempotency_records`);
  }
}
