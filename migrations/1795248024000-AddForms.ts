import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Forms, by the user they belong to. */
export class AddForms1795248024000 implements MigrationInterface {
  readonly name = 'AddForms1795248024000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      CREATE TABLE forms (
        id uuid NOT NULL,
        user_id text COLLATE "C",
        name text NOT NULL,
        created_by text NOT NULL,
        created_at timestamptz NOT NULL DEFAULT now(),
        updated_at timestamptz NOT NULL DEFAULT now(),
        CONSTRAINT forms_pkey PRIMARY KEY (id)
      )
    `);
    await runner.query(`CREATE INDEX forms_user_id_idx ON forms (user_id, id)`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP TABLE forms`);
  }
}
