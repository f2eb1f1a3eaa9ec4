import { ENTITIES } from '../../entities.js';
import { createDataSource } from '../../platform/database/index.js';

export interface SchemaDiff {
  /** What the entities say and the database lacks, as SQL. */
  up: string[];
  /** What takes it back, in the order to run it. */
  down: string[];
}

/** Compares the database with the entities; nothing is changed. */
export async function schemaDiff(url: string): Promise<SchemaDiff> {
  const pool = { poolSize: 2, poolTimeoutMs: 10_000, statementTimeoutMs: 0 };
  const dataSource = createDataSource(url, ENTITIES, pool);
  await dataSource.initialize();
  try {
    const { upQueries, downQueries } = await dataSource.driver.createSchemaBuilder().log();
    return {
      up: upQueries.map(({ query }) => query),
      down: downQueries.map(({ query }) => query).toReversed(),
    };
  } finally {
    await dataSource.destroy();
  }
}
