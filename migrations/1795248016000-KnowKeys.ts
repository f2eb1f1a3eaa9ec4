import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * By which secrets a database is used, so that a process with others refuses to start; and whose signatures under the audit
 * log count from before `ENCRYPTION_KEY` was rotated.
 */
export class KnowKeys1795248016000 implements MigrationInterface {
  readonly name = 'KnowKeys1795248016000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE secret_fingerprints (
        name text NOT NULL,
        fingerprint bytea NOT NULL,
        since timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT secret_fingerprints_name_check CHECK (name IN ('ENCRYPTION_KEY', 'JWT_SECRET')),
        CONSTRAINT secret_fingerprints_fingerprint_check CHECK (octet_length(fingerprint) = 32),
        CONSTRAINT secret_fingerprints_pkey PRIMARY KEY (name)
      )
    `);
    await runner.query(`
      CREATE TABLE audit_former_keys (
        key_id text NOT NULL,
        last_sequence bigint NOT NULL,
        last_hash bytea NOT NULL,
        public_key bytea NOT NULL,
        vouched_by text NOT NULL,
        signature bytea NOT NULL,
        CONSTRAINT audit_former_keys_pkey PRIMARY KEY (key_id, last_sequence)
      )
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE audit_former_keys`);
    await runner.query(`DROP TABLE secret_fingerprints`);
  }
}
