/** Every process of Holdfast has the same name in `pg_stat_activity`. */
const OTHERS = `
  SELECT count(*)::integer AS count
  FROM pg_stat_activity
  WHERE datname = current_database() AND application_name = current_setting('application_name')
    AND pid <> pg_backend_pid()`;

/**
 * How many other connections Holdfast has to this database: of servers and commands, and those that the asking process
 * has beside this one.
 */
export async function otherConnections(on: { query<T>(sql: string): Promise<T> }): Promise<number> {
  const [others] = await on.query<{ count: number }[]>(OTHERS);
  return others?.count ?? 0;
}
