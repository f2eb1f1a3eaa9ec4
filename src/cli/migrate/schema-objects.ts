import pg from 'pg';

/**
 * Everything a migration can make, one text each, such that equal schemas give equal texts. TypeORM's own table is left
 * out.
 */
const OBJECTS = `
  WITH ours AS (
    SELECT pg_class.oid, relname, relkind, reloptions
    FROM pg_class LEFT JOIN pg_index ON indexrelid = pg_class.oid
    WHERE relnamespace = current_schema()::regnamespace AND relname NOT IN ('migrations', 'migrations_id_seq')
      AND indrelid IS DISTINCT FROM to_regclass('migrations')
  )
  SELECT 'relation ' || relname || ' (' || relkind::text || ') ' || coalesce(reloptions::text, '') AS object
  FROM ours
  UNION ALL
  SELECT concat_ws(' ', 'column', relname || '.' || attname, format_type(atttypid, atttypmod),
    CASE WHEN attnotnull THEN 'NOT NULL' END, nullif(attidentity::text, ''), nullif(attgenerated::text, ''),
    pg_get_expr(adbin, adrelid))
  FROM ours JOIN pg_attribute ON attrelid = ours.oid LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
  WHERE relkind IN ('r', 'p', 'v', 'm') AND attnum > 0 AND NOT attisdropped
  UNION ALL
  SELECT concat_ws(' ', 'constraint', relname || '.' || conname, pg_get_constraintdef(pg_constraint.oid))
  FROM ours JOIN pg_constraint ON conrelid = ours.oid
  UNION ALL
  SELECT 'index ' || pg_get_indexdef(oid) FROM ours WHERE relkind IN ('i', 'I')
  UNION ALL
  SELECT concat_ws(' ', 'trigger', pg_get_triggerdef(pg_trigger.oid), tgenabled::text)
  FROM ours JOIN pg_trigger ON tgrelid = ours.oid
  WHERE NOT tgisinternal
  UNION ALL
  SELECT 'function ' || pg_get_functiondef(oid)
  FROM pg_proc
  WHERE pronamespace = current_schema()::regnamespace AND prokind IN ('f', 'p')
  UNION ALL
  SELECT 'type ' || typname
  FROM pg_type
  WHERE typnamespace = current_schema()::regnamespace AND typtype IN ('e', 'd')
  ORDER BY object`;

/** What the schema consists of; see `OBJECTS`. */
export async function schemaObjects(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ object: string }>(OBJECTS);
    return rows.map(({ object }) => object);
  } finally {
    await client.end();
  }
}
