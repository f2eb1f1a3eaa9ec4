import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Which key made a key, so that both are revoked together, and in whose limits it is counted, so that a caller does not
 * multiply its budget by making keys. Old rows say who made them only in `created_by`: they get their maker from there.
 * In whose limits those are counted stays as it was, as do children of keys that were revoked before: neither is to
 * change for somebody who runs an update.
 */
export class AddApiKeyMaker1795248010000 implements MigrationInterface {
  readonly name = 'AddApiKeyMaker1795248010000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE api_keys
        ADD COLUMN maker_id uuid,
        ADD COLUMN shares_limits_of uuid
    `);
    // There are few keys: no index.
    await runner.query(`
      UPDATE api_keys AS made
      SET maker_id = maker.id
      FROM api_keys AS maker
      WHERE made.created_by = 'api-key:' || maker.id
    `);
    await runner.query(`
      CREATE INDEX api_keys_maker_id_idx ON api_keys (maker_id) WHERE maker_id IS NOT NULL
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE api_keys
        DROP COLUMN maker_id,
        DROP COLUMN shares_limits_of
    `);
  }
}
