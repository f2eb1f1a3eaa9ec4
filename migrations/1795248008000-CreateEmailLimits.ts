import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How often mail was asked for with an address, and other limits for single addresses; the addresses as HMACs. */
export class CreateEmailLimits1795248008000 implements MigrationInterface {
  readonly name = 'CreateEmailLimits1795248008000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE email_limits (
        kind text NOT NULL,
        email_hash bytea NOT NULL,
        attempts timestamptz[] NOT NULL DEFAULT '{}',
        override_limit integer,
        override_until timestamptz,
        override_set_by text,
        override_set_at timestamptz,
        expires_at timestamptz,
        CONSTRAINT email_limits_email_hash_check CHECK (octet_length(email_hash) = 32),
        CONSTRAINT email_limits_override_limit_check CHECK (override_limit >= 0),
        CONSTRAINT email_limits_override_whole_check
          CHECK (num_nulls(override_limit, override_set_by, override_set_at) IN (0, 3)),
        CONSTRAINT email_limits_pkey PRIMARY KEY (kind, email_hash)
      )
    `);
    await runner.query(`
      CREATE INDEX email_limits_expires_at_idx ON email_limits (expires_at)
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE email_limits`);
  }
}
