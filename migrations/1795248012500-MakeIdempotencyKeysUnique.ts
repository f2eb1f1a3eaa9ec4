import { type MigrationInterface, QueryFailedError, type QueryRunner } from 'typeorm';

/** Each time some event came in between, of a pair that is rare to begin with. */
const MOST_ATTEMPTS = 10;

/**
 * `(source, idempotency_key)` is unique. `a_b` + `c` and `a` + `b_c` make the same key: of such events all but the first get
 * their own id behind it. The index is built while events come in; what a run that was cut off has left is built anew.
 */
export class MakeIdempotencyKeysUnique1795248012500 implements MigrationInterface {
  readonly name = 'MakeIdempotencyKeysUnique1795248012500';
  readonly transaction = false;

  async up(runner: QueryRunner): Promise<void> {
    for (let attempt = 1; !(await build(runner)); attempt++) {
      if (attempt === MOST_ATTEMPTS)
        throw new Error('Events with equal idempotency keys come in all the time; try again');
    }
    await runner.query(`DROP INDEX CONCURRENTLY IF EXISTS webhook_events_idempotency_key_idx`);
  }

  /** The keys stay as they are. */
  async down(runner: QueryRunner): Promise<void> {
    await runner.query(`DROP INDEX CONCURRENTLY IF EXISTS webhook_events_idempotency_key_idx`);
    await runner.query(`
      CREATE INDEX CONCURRENTLY webhook_events_idempotency_key_idx ON webhook_events (idempotency_key, source)
    `);
    await runner.query(`DROP INDEX CONCURRENTLY IF EXISTS webhook_events_idempotency_key_source_key`);
  }
}

/** @returns false when an event that reads like another came in while the index was built */
async function build(runner: QueryRunner): Promise<boolean> {
  await runner.query(`DROP INDEX CONCURRENTLY IF EXISTS webhook_events_idempotency_key_source_key`);
  await runner.query(`
    UPDATE webhook_events
    SET idempotency_key = idempotency_key || ':' || id
    WHERE id IN (
      SELECT id
      FROM (
        SELECT id, row_number() OVER (PARTITION BY idempotency_key, source ORDER BY id) AS n
        FROM webhook_events
      ) AS namesakes
      WHERE n > 1
    )
  `);
  try {
    await runner.query(`
      CREATE UNIQUE INDEX CONCURRENTLY webhook_events_idempotency_key_source_key
      ON webhook_events (idempotency_key, source)
    `);
    return true;
  } catch (error) {
    if (!(error instanceof QueryFailedError) || error.driverError.code !== '23505') throw error;
    return false;
  }
}
