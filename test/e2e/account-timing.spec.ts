import { createServer, type Server, type Socket } from 'node:net';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PASSWORD } from '../support/account-client.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { distance, limitOfChance, median } from '../support/distributions.js';
import { startServer, type TestServer } from '../support/server.js';
import { sql } from '../support/sql.js';
import { waitFor } from '../support/wait-for.js';

/** Of each kind. */
const TRIES = 100;
/** Each registration costs a hash, 30 ms on a machine that has nothing else to do. */
const TIMEOUT_MS = 240_000;
const KNOWN = 'known@example.com';
const UNVERIFIED = 'unverified@example.com';

let smtp: Server;
const connections = new Set<Socket>();
let database: TestDatabase;
let server: TestServer;

/** Takes connections and says nothing, ever. */
async function silentMailServer(): Promise<string> {
  smtp = createServer((socket) => connections.add(socket.on('error', () => undefined)));
  await once(smtp.listen(0, '127.0.0.1'), 'listening');
  const address = smtp.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return `smtp://127.0.0.1:${address.port}`;
}

beforeAll(async () => {
  database = await createTestDatabase();
  server = await startServer({
    env: {
      DATABASE_URL: database.url,
      SMTP_URL: await silentMailServer(),
      EMAIL_VERIFICATION_RATE_LIMIT: '0',
      EMAIL_PASSWORD_RESET_RATE_LIMIT: '0',
    },
  });
  await ask('register', UNVERIFIED);
  await sql(database.url, `INSERT INTO users (id, email) VALUES (gen_random_uuid(), '${KNOWN}')`);
  await waitFor(async () => (await sql(database.url, 'SELECT FROM registrations')).length === 1);
});

afterAll(async () => {
  await server?.kill('SIGKILL');
  for (const socket of connections) socket.destroy();
  smtp?.close();
  await database?.drop();
});

/** @returns milliseconds until the whole answer was there */
async function ask(route: string, email: string): Promise<number> {
  const body = JSON.stringify(route === 'register' ? { email, password: PASSWORD } : { email });
  const start = performance.now();
  const answer = await fetch(`${server.url}/api/auth/${route}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body,
  });
  await answer.text();
  expect(answer.status).toBe(202);
  return performance.now() - start;
}

/** Both in turn, by chance one or the other first: what slows the machine down slows both. */
async function interleaved(route: string, known: string): Promise<{ known: number[]; unknown: number[] }> {
  const times: { known: number[]; unknown: number[] } = { known: [], unknown: [] };
  for (let n = 0; n < TRIES; n++) {
    // Of the same length: bytes on the wire are not what is compared.
    const unknown = `${String(n).padStart(known.indexOf('@'), 'x')}@example.com`;
    const turns = Math.random() < 0.5 ? (['known', 'unknown'] as const) : (['unknown', 'known'] as const);
    for (const turn of turns) times[turn].push(await ask(route, turn === 'known' ? known : unknown));
  }
  return times;
}

describe(`The time of an answer, over ${2 * TRIES} interleaved tries and a mail server that hangs,`, () => {
  it.each([
    ['forgot', KNOWN],
    ['resend-verification', UNVERIFIED],
    ['register', KNOWN],
  ])(
    'of %s does not tell that %s is known',
    async (route, email) => {
      await interleavedOnce(route, email);
      const { known, unknown } = await interleaved(route, email);
      const limit = limitOfChance(known, unknown);
      let found = distance(known, unknown);
      // Chance passes the limit once in a thousand times, a difference every time.
      if (found > limit) {
        const again = await interleaved(route, email);
        found = distance(again.known, again.unknown);
      }
      expect({ found, limit, known: median(known), unknown: median(unknown) }).toEqual({
        found: Math.min(found, limit),
        limit,
        known: expect.any(Number),
        unknown: expect.any(Number),
      });
      // A mail server is never waited for: it would answer after the ten seconds that it is given.
      expect(Math.max(...known, ...unknown)).toBeLessThan(5000);
      process.stdout.write(
        `${route}: median ${median(known).toFixed(2)} ms known, ${median(unknown).toFixed(2)} ms unknown; ` +
          `distance ${found.toFixed(3)}, by chance up to ${limit.toFixed(3)}\n`,
      );
    },
    TIMEOUT_MS,
  );
});

/** The first requests of a route wait for its code to be compiled. */
async function interleavedOnce(route: string, known: string): Promise<void> {
  for (let n = 0; n < 5; n++) await ask(route, n % 2 === 0 ? known : 'nobody@example.com');
}

describe('The comparison', () => {
  const noise = () => Array.from({ length: TRIES }, () => 5 + Math.random() + Math.random());

  it('sees a difference of a millisecond in times that vary by two', () => {
    const [a, b] = [noise(), noise().map((time) => time + 1)];
    expect(distance(a, b)).toBeGreaterThan(limitOfChance(a, b));
  });

  it('sees none where there is none', () => {
    const rounds = Array.from({ length: 50 }, () => ({ a: noise(), b: noise() }));
    expect(rounds.filter(({ a, b }) => distance(a, b) > limitOfChance(a, b)).length).toBeLessThan(3);
  });
});
