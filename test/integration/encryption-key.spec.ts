import { randomUUID } from 'node:crypto';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  EncryptionKeyError,
  establishKey,
  knownFingerprint,
  keyFingerprint,
  noteJwtSecret,
  requireKnownKey,
  reseal,
  SecretBox,
  type SealedColumn,
} from '../../src/platform/encryption/index.js';
import { SEALED_COLUMNS } from '../../src/schema.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const SECRETS: SealedColumn = { table: 'webhook_source_secrets', column: 'sealed' };
const JOBS: SealedColumn = { table: 'jobs', column: 'payload' };
const [ours, theirs, third] = [1, 2, 3].map((fill) => ({
  encryptionKey: Buffer.alloc(32, fill),
  ENCRYPTION_KEY: String(fill).repeat(64),
  dataDir: '/data',
})) as [Key, Key, Key];
type Key = Parameters<typeof requireKnownKey>[1];

let database: TestDatabase;
let db: DataSource;

beforeAll(async () => {
  database = await createTestDatabase();
  db = await new DataSource({ type: 'postgres', url: database.url }).initialize();
  await db.query(`INSERT INTO webhook_sources (name, provider) VALUES ('github', 'github')`);
});
afterAll(async () => {
  await db?.destroy();
  await database?.drop();
});
beforeEach(async () => {
  for (const table of ['secret_fingerprints', 'webhook_source_secrets', 'jobs']) await db.query(`DELETE FROM ${table}`);
});

/** Rows whose sealed value is their number. @returns their ids */
async function seal({ encryptionKey }: Key, { table }: SealedColumn, count = 1): Promise<string[]> {
  const box = new SecretBox(encryptionKey);
  const ids = Array.from({ length: count }, () => randomUUID());
  const sealed = ids.map((id, n) => box.seal(String(n), `${table}:${id}`));
  const rows = 'FROM unnest($1::uuid[], $2::bytea[]) AS row (id, sealed)';
  await (table === 'jobs'
    ? db.query(`INSERT INTO jobs (id, kind, payload, due_at) SELECT id, 'test', sealed, now() ${rows}`, [ids, sealed])
    : db.query(`INSERT INTO webhook_source_secrets (id, source, sealed) SELECT id, 'github', sealed ${rows}`, [
        ids,
        sealed,
      ]));
  return ids;
}

async function read({ encryptionKey }: Key, { table, column }: SealedColumn, id = ''): Promise<string> {
  const [row] = await db.query<{ sealed: Buffer }[]>(`SELECT ${column} AS sealed FROM ${table} WHERE id = $1`, [id]);
  return new SecretBox(encryptionKey).open(row?.sealed ?? Buffer.alloc(0), `${table}:${id}`);
}

const establish = (key: Key) => establishKey(db, key, SEALED_COLUMNS);

describe('The key a database is used with', () => {
  it('is that of the first start, and of processes that start at once all have the same or refuse', async () => {
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, n) => establish(n % 2 === 0 ? ours : theirs)),
    );
    const known = await knownFingerprint(db);
    const inForce = known?.equals(keyFingerprint(ours.encryptionKey)) ? 0 : 1;
    expect(outcomes.map(({ status }) => status)).toEqual(
      outcomes.map((_, n) => (n % 2 === inForce ? 'fulfilled' : 'rejected')),
    );
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(EncryptionKeyError);
    }
  });

  it('is told from another by a fingerprint, in one line that says how to mend it', async () => {
    await establish(ours);
    await expect(requireKnownKey(db, ours)).resolves.toBeUndefined();
    const line =
      /^ENCRYPTION_KEY is not the one this database is used with \(fingerprint [0-9a-f]{8}, not [0-9a-f]{8}\)\. .* npx holdfast encryption rotate$/;
    await expect(requireKnownKey(db, theirs)).rejects.toThrow(line);
    await expect(establish(theirs)).rejects.toThrow(line);
    const { ENCRYPTION_KEY: _, ...kept } = theirs;
    await expect(establish({ ...kept, ENCRYPTION_KEY: undefined })).rejects.toThrow(
      'The ENCRYPTION_KEY kept in /data/encryption.key is not',
    );
    expect(await knownFingerprint(db)).toEqual(keyFingerprint(ours.encryptionKey));
  });

  it('is any where none is known yet, and looking alone makes none known', async () => {
    await requireKnownKey(db, theirs);
    expect(await knownFingerprint(db)).toBeUndefined();
  });

  it.each([SECRETS, JOBS])('is in a database from before the one that opens what is sealed: $table', async (column) => {
    await seal(ours, column, 3);
    await expect(establish(theirs)).rejects.toThrow(/^ENCRYPTION_KEY opens nothing .* encryption rotate --lost$/);
    expect(await knownFingerprint(db)).toBeUndefined();
    await establish(ours);
    await expect(requireKnownKey(db, theirs)).rejects.toThrow(EncryptionKeyError);
  });

  it('is found in such a database also behind what processes with another key have sealed', async () => {
    await seal(ours, SECRETS);
    await seal(theirs, JOBS, 600);
    await establish(ours);
    expect(await knownFingerprint(db)).toEqual(keyFingerprint(ours.encryptionKey));
  });

  it('is waited for while a rotation is under way', async () => {
    await establish(ours);
    const rotation = db.createQueryRunner();
    await rotation.startTransaction();
    await knownFingerprint(rotation.manager, 'FOR UPDATE');
    const starting = establish(ours).catch((error: unknown) => error);
    await rotation.query('UPDATE secret_fingerprints SET fingerprint = $1', [keyFingerprint(theirs.encryptionKey)]);
    await rotation.commitTransaction();
    await rotation.release();
    expect(await starting).toBeInstanceOf(EncryptionKeyError);
  });
});

describe('Another JWT_SECRET', () => {
  it('is noted once by whoever starts with it, and tells nothing without the encryption key', async () => {
    const [one, other] = ['one', 'other'].map((text) => Buffer.from(text.padEnd(32, '.'))) as [Buffer, Buffer];
    const note = (jwtSecret: Buffer, { encryptionKey } = ours) => noteJwtSecret(db, { encryptionKey, jwtSecret });
    expect([await note(one), await note(one), await note(other), await note(other), await note(one)]).toEqual([
      false,
      false,
      true,
      false,
      true,
    ]);
    // The same secret under another key has nothing in common with it.
    expect(await note(one, theirs)).toBe(true);
  });
});

describe('Sealing anew', () => {
  it('takes page after page, leaves alone what is done or opened by neither, and can be done again', async () => {
    const ids = await seal(ours, JOBS, 1200);
    const [done] = await seal(theirs, JOBS);
    const [foreign] = await seal(third, JOBS);
    await db.query(
      `INSERT INTO jobs (id, kind, state, error, given_up_at) VALUES (gen_random_uuid(), 'test', 'GIVEN_UP', '', now())`,
    );
    const boxes = [new SecretBox(ours.encryptionKey), new SecretBox(theirs.encryptionKey)] as const;
    const run = () => db.transaction((tx) => reseal(tx, JOBS, ...boxes));
    expect(await run()).toEqual({ resealed: 1200, unreadable: 1 });
    for (const n of [0, 499, 500, 501, 1199]) expect(await read(theirs, JOBS, ids[n])).toBe(String(n));
    expect(await read(theirs, JOBS, done)).toBe('0');
    expect(await read(third, JOBS, foreign)).toBe('0');
    expect(await run()).toEqual({ resealed: 0, unreadable: 1 });
  });

  it('knows every column that holds something sealed', async () => {
    const columns = await db.query<{ name: string }[]>(
      `SELECT table_name || '.' || column_name AS name FROM information_schema.columns
       WHERE table_schema = current_schema() AND data_type = 'bytea'`,
    );
    /** Hashes and bodies; whoever adds a column of bytes says here that it is not sealed, or adds it to SEALED_COLUMNS. */
    const notSealed = [
      'api_keys.key_hash',
      'audit_checkpoints.last_hash',
      'audit_checkpoints.merkle_root',
      'audit_checkpoints.signature',
      'audit_former_keys.last_hash',
      'audit_former_keys.public_key',
      'audit_former_keys.signature',
      'audit_log.hash',
      'audit_log.prev_hash',
      'email_limits.email_hash',
      'idempotency_records.fingerprint',
      'password_reset_tokens.token_hash',
      'refresh_tokens.token_hash',
      'registrations.token_hash',
      'secret_fingerprints.fingerprint',
      'webhook_event_conflicts.raw_body',
      'webhook_events.raw_body',
    ];
    const sealed = SEALED_COLUMNS.map(({ table, column }) => `${table}.${column}`);
    const names = columns.map(({ name }) => name).toSorted();
    expect(names.filter((name) => !sealed.includes(name))).toEqual(notSealed);
  });
});
