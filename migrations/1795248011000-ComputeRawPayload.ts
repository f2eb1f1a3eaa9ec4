import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * `raw_payload` is no second copy of the body any more: for a body in ASCII it is computed from `raw_body` when it is
 * read. A generated column takes immutable functions of PostgreSQL's own only, and `convert_from` is not one; `encode`
 * is, and its form `escape` leaves ASCII as it is but for doubled backslashes. A body with other characters, and every
 * event stored before, keeps its copy. Nothing is rewritten: the table is locked for as long as the catalog takes.
 */
export class ComputeRawPayload1795248011000 implements MigrationInterface {
  readonly name = 'ComputeRawPayload1795248011000';

  async up(runner: QueryRunner): Promise<void> {
    await runner.query(`
      ALTER TABLE webhook_events RENAME COLUMN raw_payload TO payload_copy
    `);
    // chr(92) is the backslash, however standard_conforming_strings is set.
    await runner.query(`
      ALTER TABLE webhook_events
        ADD COLUMN payload_computed boolean NOT NULL DEFAULT false,
        ADD COLUMN raw_payload jsonb GENERATED ALWAYS AS (
          CASE
            WHEN payload_computed THEN replace(encode(raw_body, 'escape'), repeat(chr(92), 2), chr(92))::jsonb
            ELSE payload_copy
          END
        ) VIRTUAL
    `);
  }

  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`
      UPDATE webhook_events SET payload_copy = raw_payload WHERE payload_computed
    `);
    await runner.query(`
      ALTER TABLE webhook_events
        DROP COLUMN raw_payload,
        DROP COLUMN payload_computed
    `);
    await runner.query(`
      ALTER TABLE webhook_events RENAME COLUMN payload_copy TO raw_payload
    `);
  }
}
