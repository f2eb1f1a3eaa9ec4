import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Where the events of a source say what type they are, for providers that do not settle it. */
export class AddTypePlaces1795248012000 implements MigrationInterface {
  readonly name = 'AddTypePlaces1795248012000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE webhook_sources
        ADD COLUMN type_header text,
        ADD COLUMN type_path text
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE webhook_sources
        DROP COLUMN type_header,
        DROP COLUMN type_path
    `);
  }
}
