import type { DataSource } from 'typeorm';
import type { Config } from '../../config/index.js';
import { EncryptionKeyError, type KeyConfig } from './encryption-key.error.js';
import { jwtFingerprint, keyFingerprint } from './key-fingerprint.js';
import { SecretBox } from './secret-box.js';
import { opensAny, type SealedColumn } from './sealed-column.js';

type Database = Pick<DataSource, 'query'>;

/** Index: secret_fingerprints_pkey, as for all below. */
const FIND = `SELECT fingerprint FROM secret_fingerprints WHERE name = 'ENCRYPTION_KEY'`;

const KEEP_FIRST = `
  INSERT INTO secret_fingerprints (name, fingerprint) VALUES ('ENCRYPTION_KEY', $1) ON CONFLICT (name) DO NOTHING`;

const KEEP = `
  INSERT INTO secret_fingerprints (name, fingerprint)
  VALUES ('ENCRYPTION_KEY', $1)
  ON CONFLICT (name) DO UPDATE SET fingerprint = excluded.fingerprint, since = now()`;

/** No row when it is the one known. */
const KEEP_JWT = `
  INSERT INTO secret_fingerprints AS known (name, fingerprint)
  VALUES ('JWT_SECRET', $1)
  ON CONFLICT (name) DO UPDATE SET fingerprint = excluded.fingerprint, since = now()
  WHERE known.fingerprint <> excluded.fingerprint
  RETURNING old.fingerprint IS NOT NULL AS "isAnother"`;

const FORGET_JWT = `DELETE FROM secret_fingerprints WHERE name = 'JWT_SECRET'`;

/**
 * The fingerprint of the key the database is used with. With a lock it waits for a rotation under way, and two rotations
 * for each other.
 */
export async function knownFingerprint(
  db: Database,
  lock: '' | 'FOR SHARE' | 'FOR UPDATE' = '',
): Promise<Buffer | undefined> {
  const [row] = await db.query<{ fingerprint: Buffer }[]>(`${FIND} ${lock}`);
  return row?.fingerprint;
}

/**
 * For whoever must not go on under another key than everybody else. Where no key is known yet, any is good.
 *
 * @throws EncryptionKeyError
 */
export async function requireKnownKey(db: Database, config: KeyConfig): Promise<void> {
  const [table] = await db.query<{ exists: boolean }[]>(
    `SELECT to_regclass('secret_fingerprints') IS NOT NULL AS exists`,
  );
  if (table?.exists === true) compare(config, await knownFingerprint(db));
}

/**
 * For a server, before it does anything else: its key is the one the database is used with, from the first start on. A
 * database from before keys were known counts as used with the key that opens what is sealed in it. Of several processes
 * that start first one decides.
 *
 * @throws EncryptionKeyError, and nothing has changed
 */
export async function establishKey(db: Database, config: KeyConfig, sealed: readonly SealedColumn[]): Promise<void> {
  if (compare(config, await knownFingerprint(db, 'FOR SHARE'))) return;
  if ((await opensAny(db, sealed, new SecretBox(config.encryptionKey))) === false) {
    throw EncryptionKeyError.opensNothing(config);
  }
  await db.query(KEEP_FIRST, [keyFingerprint(config.encryptionKey)]);
  compare(config, await knownFingerprint(db));
}

/** The key of a rotation. What is known of `JWT_SECRET` is told by a hash under the key, and learned anew. */
export async function replaceKnownKey(tx: Database, encryptionKey: Buffer): Promise<void> {
  await tx.query(KEEP, [keyFingerprint(encryptionKey)]);
  await tx.query(FORGET_JWT);
}

/** @returns whether the last server that started had another `JWT_SECRET`: nothing is lost by it, but tokens of users end */
export async function noteJwtSecret(
  db: Database,
  { encryptionKey, jwtSecret }: Pick<Config, 'encryptionKey' | 'jwtSecret'>,
): Promise<boolean> {
  const [changed] = await db.query<{ isAnother: boolean }[]>(KEEP_JWT, [jwtFingerprint(encryptionKey, jwtSecret)]);
  return changed?.isAnother ?? false;
}

/** @returns false when none is known */
function compare(config: KeyConfig, known: Buffer | undefined): boolean {
  if (known === undefined) return false;
  const ours = keyFingerprint(config.encryptionKey);
  if (!known.equals(ours)) throw EncryptionKeyError.another(config, known, ours);
  return true;
}
