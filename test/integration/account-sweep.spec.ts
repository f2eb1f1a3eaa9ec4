import { randomBytes } from 'node:crypto';
import { SchedulerRegistry } from '@nestjs/schedule';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { newId } from '../../src/kernel/ids.js';
import { ResetTokensRepository } from '../../src/modules/accounts/password-reset/reset-tokens.repository.js';
import { RegistrationsRepository } from '../../src/modules/accounts/registration/registrations.repository.js';
import { SessionsRepository } from '../../src/modules/accounts/sessions/sessions.repository.js';
import { createDataSource } from '../../src/platform/database/index.js';
import { Metrics } from '../../src/platform/metrics/index.js';
import { RepeatingTasks } from '../../src/platform/schedule/index.js';
import { Transactor } from '../../src/platform/transaction/index.js';
import { SCHEMA } from '../../src/schema.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let dataSource: DataSource;
let sweeps: RepeatingTasks;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await createDataSource(database.url, SCHEMA, {
    poolSize: 2,
    poolTimeoutMs: 10_000,
    statementTimeoutMs: 0,
  }).initialize();
  const transactor = new Transactor(dataSource, new Metrics());
  sweeps = new RepeatingTasks({ role: 'worker' }, new SchedulerRegistry());
  sweeps.begin(new RegistrationsRepository(transactor));
  sweeps.begin(new ResetTokensRepository(dataSource, transactor));
  sweeps.begin(new SessionsRepository(dataSource, transactor));
});

afterAll(async () => {
  await sweeps?.onModuleDestroy();
  await dataSource?.destroy();
  await database?.drop();
});

async function user(): Promise<string> {
  const id = newId();
  await dataSource.query(`INSERT INTO users (id, email) VALUES ($1, $2)`, [id, `${id}@example.com`]);
  return id;
}

async function idsIn(table: string, column = 'id'): Promise<string[]> {
  const rows = await dataSource.query<{ id: string }[]>(`SELECT ${column} AS id FROM ${table} ORDER BY 1`);
  return rows.map(({ id }) => id);
}

it('removes registrations that nobody proved within a month', async () => {
  for (const [email, age] of [
    ['late@example.com', '29 days 23 hours'],
    ['gone@example.com', '30 days 1 hour'],
  ]) {
    await dataSource.query(
      `INSERT INTO registrations (token_hash, email, password_hash, created_at, expires_at)
       VALUES ($1, $2, 'x', now() - $3::interval, now())`,
      [randomBytes(32), email, age],
    );
  }
  await sweeps.run('old registrations');
  expect(await idsIn('registrations', 'email')).toEqual(['late@example.com']);
});

it('removes expired tokens, and sessions that ended ninety days ago with their refresh tokens', async () => {
  const owner = await user();
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
      `INSERT INTO password_reset_tokens (token_hash, user_id, expires_at) VALUES ($1, $2, now() + $3::interval)`,
      [hash, owner, left],
    );
  }
  await sweeps.run('expired password reset tokens');
  await sweeps.run('ended sessions');
  expect(await idsIn('sessions')).toEqual([late]);
  expect(await idsIn('refresh_tokens', 'session_id')).toEqual([late]);
  const tokens = await dataSource.query(`SELECT token_hash FROM password_reset_tokens WHERE user_id = $1`, [owner]);
  expect(tokens).toEqual([{ token_hash: live }]);
});

it('takes as many rounds as it needs', async () => {
  await dataSource.query(`
    INSERT INTO registrations (token_hash, email, password_hash, created_at, expires_at)
    SELECT sha256(n::text::bytea), 'many@example.com', 'x', now() - interval '31 days', now()
    FROM generate_series(1, 1100) AS n`);
  await sweeps.run('old registrations');
  expect(await idsIn('registrations', 'email')).not.toContain('many@example.com');
});
