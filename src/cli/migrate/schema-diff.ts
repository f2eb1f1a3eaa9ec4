import { withDataSource } from '../../platform/database/index.js';
import { SCHEMA } from '../../schema.js';
import { withPlainColumns } from './virtual-columns.js';

export interface SchemaDiff {
  /** What the entities say and the database lacks, as SQL. */
  up: string[];
  /** What takes it back, in the order to run it. */
  down: string[];
}

/** Compares a scratch database with the entities. Its virtual columns come back at the end of their tables. */
export function schemaDiff(url: string): Promise<SchemaDiff> {
  return withPlainColumns(url, () =>
    withDataSource(url, SCHEMA, async (dataSource) => {
      const { upQueries, downQueries } = await dataSource.driver.createSchemaBuilder().log();
      return {
        up: upQueries.map(({ query }) => query),
        down: downQueries.map(({ query }) => query).toReversed(),
      };
    }),
  );
}
