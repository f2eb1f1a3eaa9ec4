import type { MigrationInterface, QueryRunner } from 'typeorm';

const KINDS = `'amount', 'count', 'sum', 'failed_attempts', 'distinct_cards', 'new_account', 'country_mismatch', 'list'`;
const KINDS_WITH_DISPUTES = `'amount', 'count', 'sum', 'failed_attempts', 'disputes', 'distinct_cards', 'new_account', 'country_mismatch', 'list'`;

/** Rules may look at disputes. There are a handful of rules: checking them takes no time. */
export class AddDisputesRule1795248021500 implements MigrationInterface {
  readonly name = 'AddDisputesRule1795248021500';

  async up(runner: QueryRunner): Promise<void> {
    await allow(runner, KINDS_WITH_DISPUTES);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DELETE FROM fraud_rules WHERE kind = 'disputes'`);
    await allow(runner, KINDS);
  }
}

async function allow(runner: QueryRunner, kinds: string): Promise<void> {
  // Every payment reads the rules, and would wait behind us: better to fail, and be run again.
  await runner.query(`SET LOCAL lock_timeout = '2s'`);
  await runner.query(`
    ALTER TABLE fraud_rules
      DROP CONSTRAINT fraud_rules_kind_check,
      ADD CONSTRAINT fraud_rules_kind_check CHECK (kind IN (${kinds}))
  `);
}
