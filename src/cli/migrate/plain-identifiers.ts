import pg from 'pg';

/** A string literal, left alone; or a quoted identifier in group 1. */
const LITERAL_OR_IDENTIFIER = /'(?:[^']|'')*'|"((?:[^"]|"")+)"/g;

/** TypeORM quotes every identifier. Those that need no quotes, by PostgreSQL's own word, lose them. */
export async function plainIdentifiers(url: string, statements: readonly string[]): Promise<string[]> {
  const identifiers = new Set<string>();
  for (const statement of statements) {
    for (const [, identifier] of statement.matchAll(LITERAL_OR_IDENTIFIER)) {
      if (identifier !== undefined) identifiers.add(identifier);
    }
  }
  const plain = await needNoQuotes(url, [...identifiers]);
  return statements.map((statement) =>
    statement.replace(LITERAL_OR_IDENTIFIER, (text: string, identifier: string | undefined) =>
      identifier !== undefined && plain.has(identifier) ? identifier : text,
    ),
  );
}

async function needNoQuotes(url: string, identifiers: readonly string[]): Promise<Set<string>> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>(
      'SELECT name FROM unnest($1::text[]) AS name WHERE quote_ident(name) = name',
      [identifiers],
    );
    return new Set(rows.map(({ name }) => name));
  } finally {
    await client.end();
  }
}
