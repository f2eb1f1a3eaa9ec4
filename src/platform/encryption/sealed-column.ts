import type { DataSource, EntityManager } from 'typeorm';
import type { SecretBox } from './secret-box.js';

/** A `bytea` column of values sealed by `SecretBox`, null where there is none; the table's key is a uuid named `id`. */
export interface SealedColumn {
  readonly table: string;
  readonly column: string;
}

interface SealedRow {
  id: string;
  sealed: Buffer;
}

/** What became of a column's values. */
export interface Resealed {
  /** Sealed under the next key now, and before under the former. */
  resealed: number;
  /** Neither key opens them; they stay as they are. */
  unreadable: number;
}

const PAGE = 500;

/** What a sealed value is bound to: copied to another row it opens nowhere. */
export function sealedPlace({ table }: SealedColumn, id: string): string {
  return `${table}:${id}`;
}

/**
 * Looks for one value that the key opens, newest first.
 *
 * @returns undefined where nothing is sealed at all
 */
export async function opensAny(
  db: Pick<DataSource, 'query'>,
  columns: readonly SealedColumn[],
  box: SecretBox,
): Promise<boolean | undefined> {
  let isAnySealed = false;
  for (const column of columns) {
    for await (const rows of pages(db, column)) {
      isAnySealed = true;
      if (rows.some(({ id, sealed }) => box.tryOpen(sealed, sealedPlace(column, id)) !== undefined)) return true;
    }
  }
  return isAnySealed ? false : undefined;
}

/** Seals what `former` opens with `next`. What `next` opens already, or neither does, is left alone. */
export async function reseal(
  tx: EntityManager,
  column: SealedColumn,
  former: SecretBox,
  next: SecretBox,
): Promise<Resealed> {
  const outcome: Resealed = { resealed: 0, unreadable: 0 };
  for await (const rows of pages(tx, column)) {
    const changed: SealedRow[] = [];
    for (const { id, sealed } of rows) {
      const place = sealedPlace(column, id);
      if (next.tryOpen(sealed, place) !== undefined) continue;
      const value = former.tryOpen(sealed, place);
      if (value === undefined) outcome.unreadable += 1;
      else changed.push({ id, sealed: next.seal(value, place) });
    }
    outcome.resealed += changed.length;
    if (changed.length > 0) await replace(tx, column, changed);
  }
  return outcome;
}

/** Newest first: ids of ours begin with the time. Index: the table's primary key, backwards. */
async function* pages(
  db: Pick<DataSource, 'query'>,
  { table, column }: SealedColumn,
): AsyncGenerator<readonly SealedRow[]> {
  let before: string | null = null;
  for (;;) {
    const rows: SealedRow[] = await db.query<SealedRow[]>(
      `
      SELECT id, ${column} AS sealed
      FROM ${table}
      WHERE ${column} IS NOT NULL AND ($1::uuid IS NULL OR id < $1)
      ORDER BY id DESC
      LIMIT ${PAGE}`,
      [before],
    );
    if (rows.length > 0) yield rows;
    before = rows.at(-1)?.id ?? null;
    if (rows.length < PAGE) return;
  }
}

/** Index: the table's primary key. */
async function replace(tx: EntityManager, { table, column }: SealedColumn, rows: readonly SealedRow[]): Promise<void> {
  await tx.query(
    `
    UPDATE ${table}
    SET ${column} = new.sealed
    FROM unnest($1::uuid[], $2::bytea[]) AS new (id, sealed)
    WHERE ${table}.id = new.id`,
    [rows.map(({ id }) => id), rows.map(({ sealed }) => sealed)],
  );
}
