import pg from 'pg';

interface VirtualColumn {
  table: string;
  name: string;
  type: string;
  notNull: boolean;
  expression: string;
}

/** `VirtualColumn`, its names quoted where they have to be. */
const VIRTUAL_COLUMNS = `
  SELECT
    attrelid::regclass::text AS "table", quote_ident(attname) AS name, format_type(atttypid, atttypmod) AS type,
    attnotnull AS "notNull", pg_get_expr(adbin, adrelid) AS expression
  FROM pg_attribute
  JOIN pg_class ON pg_class.oid = attrelid
  JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
  WHERE relnamespace = current_schema()::regnamespace AND attgenerated = 'v' AND NOT attisdropped`;

/**
 * Runs `work` while each virtual generated column of the schema is a plain one, which is what TypeORM can read: it takes
 * them for STORED ones and looks for them in a table of its own, `typeorm_metadata`, that we do not have.
 *
 * @param url of a database without rows
 */
export async function withPlainColumns<T>(url: string, work: () => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows: columns } = await client.query<VirtualColumn>(VIRTUAL_COLUMNS);
    for (const column of columns) await client.query(replaceColumn(column, ''));
    try {
      return await work();
    } finally {
      for (const column of columns) {
        await client.query(replaceColumn(column, `GENERATED ALWAYS AS (${column.expression}) VIRTUAL`));
      }
    }
  } finally {
    await client.end();
  }
}

function replaceColumn({ table, name, type, notNull }: VirtualColumn, generated: string): string {
  return `ALTER TABLE ${table} DROP COLUMN ${name}, ADD COLUMN ${name} ${type} ${notNull ? 'NOT NULL' : ''} ${generated}`;
}
