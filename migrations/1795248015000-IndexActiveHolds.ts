import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * The active holds of an account by their expiry: what has expired is found by every posting and every read on the account,
 * and ledger_holds_account_idx would lead them through all the holds it ever had. Built while postings go on.
 */
export class IndexActiveHolds1795248015000 implements MigrationInterface {
  readonly name = 'IndexActiveHolds1795248015000';
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    // A build that was cut off leaves an index behind that is not valid.
    await runner.query(`DROP INDEX CONCURRENTLY IF EXISTS ledger_holds_active_idx`);
    await runner.query(`
      CREATE INDEX CONCURRENTLY ledger_holds_active_idx ON ledger_holds (account, expires_at) WHERE status = 'ACTIVE'
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX ledger_holds_active_idx`);
  }
}
