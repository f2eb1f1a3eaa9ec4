import type { MigrationInterface, QueryRunner } from 'typeorm';

/** What is to be done after the transaction that asked for it, mail for example. */
export class CreateJobs1795248007000 implements MigrationInterface {
  readonly name = 'CreateJobs1795248007000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE jobs (
        id uuid NOT NULL,
        kind text NOT NULL,
        state text NOT NULL DEFAULT 'WAITING',
        payload bytea,
        due_at timestamptz,
        expires_at timestamptz,
        attempts integer NOT NULL DEFAULT 0,
        abandoned integer NOT NULL DEFAULT 0,
        claim_id uuid,
        claimed_by text,
        error text,
        created_at timestamptz NOT NULL DEFAULT now(),
        given_up_at timestamptz,
        CONSTRAINT jobs_counts_check CHECK (attempts >= 0 AND abandoned >= 0),
        CONSTRAINT jobs_state_check CHECK (CASE state WHEN 'WAITING' THEN payload IS NOT NULL AND due_at IS NOT NULL AND claim_id IS NULL AND claimed_by IS NULL AND given_up_at IS NULL WHEN 'RUNNING' THEN payload IS NOT NULL AND due_at IS NOT NULL AND claim_id IS NOT NULL AND claimed_by IS NOT NULL AND given_up_at IS NULL WHEN 'GIVEN_UP' THEN payload IS NULL AND due_at IS NULL AND claim_id IS NULL AND claimed_by IS NULL AND given_up_at IS NOT NULL AND error IS NOT NULL ELSE false END),
        CONSTRAINT jobs_pkey PRIMARY KEY (id)
      )
    `);
    await runner.query(`
      CREATE INDEX jobs_due_idx ON jobs (kind, due_at) WHERE due_at IS NOT NULL
    `);
    await runner.query(`
      CREATE INDEX jobs_expires_at_idx ON jobs (expires_at) WHERE expires_at IS NOT NULL AND due_at IS NOT NULL
    `);
    await runner.query(`
      CREATE INDEX jobs_given_up_at_idx ON jobs (given_up_at) WHERE given_up_at IS NOT NULL
    `);
    await runner.query(`
      -- Every row is written three times and gone within a second: the default of 20 % would never be soon enough.
      ALTER TABLE jobs SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000)
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE jobs`);
  }
}
