import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Locks over all processes, for when there is no Redis, and the fences that keep out who has lost one. */
export class CreateLocks1795248004000 implements MigrationInterface {
  readonly name = 'CreateLocks1795248004000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE locks (
        key text NOT NULL,
        owner uuid NOT NULL,
        holder text NOT NULL,
        fencing_token bigint NOT NULL,
        expires_at timestamptz NOT NULL,
        CONSTRAINT locks_pkey PRIMARY KEY (key)
      )
    `);
    await runner.query(`
      CREATE TABLE lock_fences (
        key text NOT NULL,
        fencing_token bigint NOT NULL,
        CONSTRAINT lock_fences_pkey PRIMARY KEY (key)
      )
    `);
    await runner.query(`
      -- A row changes with every grant, renewal and release and no index with it: with room in its page it stays there.
      ALTER TABLE locks SET (fillfactor = 50)
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE lock_fences`);
    await runner.query(`DROP TABLE locks`);
  }
}
