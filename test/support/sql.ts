import { Client, type QueryResultRow } from 'pg';

/** One statement on a connection of its own. */
export async function sql<Row extends QueryResultRow>(
  databaseUrl: string,
  text: string,
  parameters: unknown[] = [],
): Promise<Row[]> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query<Row>(text, parameters)).rows;
  } finally {
    await client.end();
  }
}
