import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { AccountClient, PASSWORD } from '../support/account-client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { expectProblem } from '../support/http-answer.js';
import { MailFolder } from '../support/mail-folder.js';
import { startServer, type TestServer } from '../support/server.js';
import { sql } from '../support/sql.js';
import { makeTempFolder, removeTempFolder } from '../support/temp-folder.js';

const folder = makeTempFolder('account-crashes');
const DATA_DIR = join(folder, 'data');
let database: TestDatabase;
const servers: TestServer[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(async () => {
  for (const server of servers) await server.kill('SIGKILL');
  await database?.drop();
  removeTempFolder(folder);
});

async function start(env: Record<string, string> = {}): Promise<{ server: TestServer; client: AccountClient }> {
  const server = await startServer({
    env: { DATABASE_URL: database.url, DATA_DIR, EMAIL_VERIFICATION_RATE_LIMIT: '0', ...env },
  });
  servers.push(server);
  return { server, client: new AccountClient({ server }, mailbox) };
}

const mailbox = new MailFolder(DATA_DIR);

it('what was answered 202 is done although the process was killed, each of twenty once', async () => {
  const emails = Array.from({ length: 20 }, (_, n) => `survivor${n}@example.com`);
  const { server, client } = await start();
  let answered = 0;
  const answers = await Promise.allSettled(
    emails.map(async (email) => {
      const { status } = await client.post('register', { email, password: PASSWORD });
      // While others are being answered, and the first of them carried out.
      if (++answered === 10) await server.kill('SIGKILL');
      return { email, status };
    }),
  );
  const accepted = answers.flatMap((each) =>
    each.status === 'fulfilled' && each.value.status === 202 ? [each.value.email] : [],
  );
  expect(accepted.length).toBeGreaterThan(5);

  const next = await start();
  // The killed process held some for as long as its lease; nobody waits for that here.
  await sql(database.url, 'UPDATE jobs SET due_at = now() WHERE claim_id IS NOT NULL');
  for (const email of accepted) {
    const { token } = await mailbox.next(email, 'verification');
    expect((await next.client.post('verify-email', { token })).status).toBe(200);
    await next.client.logIn(email);
  }
  const users = await sql(database.url, 'SELECT FROM users WHERE email = ANY ($1)', [accepted]);
  expect(users).toHaveLength(accepted.length);
});

it('a process without background work takes requests, and another sends the mail', async () => {
  const email = 'elsewhere@example.com';
  const api = await start({ ROLE: 'api' });
  await api.client.post('register', { email, password: PASSWORD });
  const { token } = await mailbox.next(email, 'verification');
  expect((await api.client.post('verify-email', { token })).status).toBe(200);
});

it('twenty guesses over two processes are five', async () => {
  const env = { AUTH_RATE_LIMIT: '5', REPLICAS: '2', TRUSTED_PROXIES: '127.0.0.1' };
  const [one, two] = [await start(env), await start(env)];
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, n) =>
      (n % 2 ? one : two).client.post(
        'login',
        { email: 'guessed@example.com', password: 'wrong horse battery' },
        { 'x-forwarded-for': `198.51.100.${n}` },
      ),
    ),
  );
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(5);
  for (const answer of answers.filter(({ status }) => status !== 401)) {
    expectProblem(answer, 429, 'RATE_LIMIT_EXCEEDED');
  }
});
