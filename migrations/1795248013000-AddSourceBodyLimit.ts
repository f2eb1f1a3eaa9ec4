import type { MigrationInterface, QueryRunner } from 'typeorm';

/** How large a body a source takes, where that is not what its provider sends. */
export class AddSourceBodyLimit1795248013000 implements MigrationInterface {
  readonly name = 'AddSourceBodyLimit1795248013000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE webhook_sources ADD COLUMN body_limit_bytes integer');
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query('ALTER TABLE webhook_sources DROP COLUMN body_limit_bytes');
  }
}
