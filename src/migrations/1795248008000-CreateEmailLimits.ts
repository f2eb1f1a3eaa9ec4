import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How often mail was asked for with an address, and other limits for single addresses; the addresses as HMACs. */
export class CreateEmailLimits1795248008000 implements MigrationInterface {
  readonly name = 'CreateEmailLimits1795248008000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE email_limits (
        kind text NOT NULL,
        address_hash bytea NOT NULL,
        attempts timestamptz[] NOT NULL DEFAULT '{}',
        override_limit integer,
        override_until timestamptz,
        override_set_by text,
        override_set_at timestamptz,
        over_at timestamptz,
        CONSTRAINT email_limits_address_hash_check CHECK (octet_length(address_hash) = 32),
        CONSTRAINT email_limits_override_limit_check CHECK (override_limit >= 0),
        CONSTRAINT email_limits_override_whole_check
          CHECK (num_nulls(override_limit, override_set_by, override_set_at) IN (0, 3)),
        CONSTRAINT email_limits_pkey PRIMARY KEY (kind, address_hash)
      )
    `);
    await runner.query(`
      CREATE INDEX email_limits_over_at_idx ON email_limits (over_at)
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE email_limits`);
  }
}
