import { describe, expect, it } from '@jest/globals';
import { migrationFile } from './migration-file.js';

describe('migrationFile', () => {
  it('is a migration that TypeORM runs in the order of its timestamp', () => {
    const file = migrationFile('AddNotes1795250000000', {
      up: ['ALTER TABLE t ADD note text'],
      down: ['DROP TABLE t'],
    });
    expect(file).toBe(`import type { MigrationInterface, QueryRunner } from 'typeorm';

/** Generated from the entities. */
export class AddNotes1795250000000 implements MigrationInterface {
  readonly name = 'AddNotes1795250000000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(\`
      ALTER TABLE t ADD note text
    \`);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(\`
      DROP TABLE t
    \`);
  }
}
`);
  });

  it('writes each column and constraint of a table on a line of its own', () => {
    const statement = `CREATE TABLE t (a text DEFAULT 'x, (y', "b,c" numeric(10, 2), CONSTRAINT k CHECK (a IN ('p', 'q')))`;
    expect(migrationFile('T1', { up: [statement], down: [] })).toContain(`
      CREATE TABLE t (
        a text DEFAULT 'x, (y',
        "b,c" numeric(10, 2),
        CONSTRAINT k CHECK (a IN ('p', 'q'))
      )
`);
  });

  it('keeps what would end or fill in a template literal', () => {
    const file = migrationFile('T1', { up: ["COMMENT ON TABLE t IS '`${a}` \\n'"], down: [] });
    expect(file).toContain("COMMENT ON TABLE t IS '\\`\\${a}\\` \\\\n'");
  });
});
