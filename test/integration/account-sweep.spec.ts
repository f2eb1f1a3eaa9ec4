import { randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newId } from '../../src/kernel/ids.js';
import { AccountSweep } from '../../src/modules/accounts/account-sweep.js';
import { MailTokens } from '../../src/modules/accounts/mail-tokens/mail-tokens.js';
import { SessionsRepository } from '../../src/modules/accounts/sessions/sessions.repository.js';
import { UsersRepository } from '../../src/modules/accounts/users/users.repository.js';
import { createDataSource } from '../../src/platform/database/index.js';
import { SCHEMA } from '../../src/schema.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let dataSource: DataSource;
let sweep: AccountSweep;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await createDataSource(database.url, SCHEMA, {
    poolSize: 2,
    poolTimeoutMs: 10_000,
    statementTimeoutMs: 0,
  }).initialize();
  sweep = new AccountSweep(
    new UsersRepository(dataSource),
    new SessionsRepository(dataSource),
    new MailTokens(dataSource),
    { every: () => undefined } as never,
  );
});

afterAll(async () => {
  await dataSource?.destroy();
  await database?.drop();
});

/** @param registered ago, an interval of PostgreSQL */
async function user(registered: string, verified: boolean): Promise<string> {
  const id = newId();
  await dataSource.query(
    `INSERT INTO users (id, email, password_hash, password_changed_at, email_verified_at)
     VALUES ($1, $2, 'x', now() - $3::interval, CASE WHEN $4 THEN now() END)`,
    [id, `${id}@example.com`, registered, verified],
  );
  return id;
}

async function idsIn(table: string, column = 'id'): Promise<string[]> {
  const rows = await dataSource.query<{ id: string }[]>(`SELECT ${column} AS id FROM ${table} ORDER BY 1`);
  return rows.map(({ id }) => id);
}

it('removes accounts that nobody verified within a week, with their tokens, and no other', async () => {
  const kept = [await user('8 days', true), await user('6 days 23 hours', false)];
  const gone = await user('7 days 1 hour', false);
  for (const id of [...kept, gone]) {
    await dataSource.query(
      `INSERT INTO mail_tokens (token_hash, user_id, purpose, expires_at) VALUES ($1, $2, 'verify-email', now() + '1 hour')`,
      [randomBytes(32), id],
    );
  }
  await sweep.sweep();
  expect(await idsIn('users')).toEqual(kept.toSorted());
  expect(await idsIn('mail_tokens', 'user_id')).toEqual(kept.toSorted());
});

it('removes expired tokens, used or not, and sessions that ended ninety days ago with their refresh tokens', async () => {
  const owner = await user('1 day', true);
  const [late, ended] = [newId(), newId()];
  for (const [id, expired] of [
    [late, '89 days'],
    [ended, '91 days'],
  ]) {
    await dataSource.query(
      `INSERT INTO sessions (id, user_id, network, expires_at) VALUES ($1, $2, '192.0.2.1', now() - $3::interval)`,
      [id, owner, expired],
    );
    await dataSource.query(`INSERT INTO refresh_tokens (token_hash, session_id) VALUES ($1, $2)`, [
      randomBytes(32),
      id,
    ]);
  }
  const live = randomBytes(32);
  for (const [hash, left] of [
    [live, '1 second'],
    [randomBytes(32), '-1 second'],
  ]) {
    await dataSource.query(
      `INSERT INTO mail_tokens (token_hash, user_id, purpose, expires_at) VALUES ($1, $2, 'reset-password', now() + $3::interval)`,
      [hash, owner, left],
    );
  }
  await sweep.sweep();
  expect(await idsIn('sessions')).toEqual([late]);
  expect(await idsIn('refresh_tokens', 'session_id')).toEqual([late]);
  const tokens = await dataSource.query(`SELECT token_hash FROM mail_tokens WHERE user_id = $1`, [owner]);
  expect(tokens).toEqual([{ token_hash: live }]);
});

it('takes as many rounds as it needs', async () => {
  await dataSource.query(`
    INSERT INTO users (id, email, password_hash, password_changed_at)
    SELECT gen_random_uuid(), 'many' || n || '@example.com', 'x', now() - interval '30 days'
    FROM generate_series(1, 1100) AS n`);
  await sweep.sweep();
  expect(await dataSource.query(`SELECT FROM users WHERE email LIKE 'many%'`)).toEqual([]);
});
