import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { arrayLiteral, plainArrayLiteral } from '../../src/platform/database/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let client: pg.Client;

beforeAll(async () => {
  database = await createTestDatabase();
  client = new pg.Client({ connectionString: database.url });
  await client.connect();
});

afterAll(async () => {
  await client?.end();
  await database?.drop();
});

async function readBack(literal: string, type: string): Promise<unknown> {
  const { rows } = await client.query<{ elements: unknown }>(`SELECT $1::${type} AS elements`, [literal]);
  return rows[0]?.elements;
}

describe('An array literal', () => {
  it('is read by PostgreSQL as what went in, whatever the texts hold', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }).map((string) => string.replaceAll('\0', '')),
      fc.constantFrom(
        '',
        'NULL',
        'null',
        '{}',
        '{"a"}',
        '"',
        '\\',
        '\\"',
        '\\\\',
        'a,b',
        ' ',
        '\n',
        "'",
        '{"a":"\\""}',
        // With a quote each, and something that JSON would escape in its own way.
        '"\n\t"',
        '\\n"\u0001',
        '"\u007f\u0085\u2028😀',
      ),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.option(text)), async (elements) => {
        expect(await readBack(arrayLiteral(elements), 'text[]')).toEqual(elements);
      }),
    );
  });

  it('of plain elements needs no quotes', async () => {
    expect(await readBack(plainArrayLiteral([1, null, -2]), 'integer[]')).toEqual([1, null, -2]);
    expect(await readBack(plainArrayLiteral([true, false, null]), 'boolean[]')).toEqual([true, false, null]);
    expect(await readBack(plainArrayLiteral([]), 'uuid[]')).toEqual([]);
  });
});
