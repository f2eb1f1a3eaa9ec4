import { describe, expect, it } from '@jest/globals';
import { answerOf, call, expectProblem } from '../support/http-answer.js';
import { startPrivatePostgres } from '../support/postgres.js';
import { sharedRedisUrl } from '../support/redis.js';
import { startServer } from '../support/server.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { SECRET_VARIABLES } from '../support/signing.js';
import { waitFor } from '../support/wait-for.js';
import { stripeEvent, WebhookSender } from '../support/webhook-sender.js';

describe('A healthy server', () => {
  const holdfast = serverUnderTest();

  it('lives', async () => {
    expect(await answerOf(await fetch(`${holdfast.server.url}/health/live`))).toMatchObject({
      status: 200,
      body: { status: 'live' },
    });
  });

  it('is ready, its checks one by one', async () => {
    const { status, body } = await answerOf(await fetch(`${holdfast.server.url}/health/ready`));
    expect({ status, body }).toEqual({
      status: 200,
      body: { status: 'ready', checks: { database: 'up', redis: 'off', migrations: 'done' } },
    });
  });

  it('is not ready while the schema is older than the program', async () => {
    const last = `(SELECT max(id) FROM migrations)`;
    const [migration] = await holdfast.sql<{ timestamp: string; name: string }>(
      `DELETE FROM migrations WHERE id = ${last} RETURNING timestamp, name`,
    );
    try {
      expect(await holdfast.call('GET', '/health/ready')).toMatchObject({
        status: 503,
        body: { status: 'unavailable', checks: { database: 'up', migrations: 'pending' } },
      });
    } finally {
      await holdfast.sql('INSERT INTO migrations (timestamp, name) VALUES ($1, $2)', [
        migration?.timestamp,
        migration?.name,
      ]);
    }
    expect((await holdfast.call('GET', '/health/ready')).status).toBe(200);
  });
});

describe('A server with a Redis', () => {
  const holdfast = serverUnderTest({ env: { REDIS_URL: sharedRedisUrl() } });

  it('tells that it is up', async () => {
    expect((await holdfast.call('GET', '/health/ready')).body).toMatchObject({ checks: { redis: 'up' } });
  });
});

describe('A server whose database goes away', () => {
  it('lives on, says that it is not ready, accepts nothing, and takes the retry when the database is back', async () => {
    const postgres = await startPrivatePostgres();
    const server = await startServer({ env: { DATABASE_URL: postgres.url, ...SECRET_VARIABLES } });
    try {
      const sender = new WebhookSender(server.url);
      const event = stripeEvent();
      await postgres.kill9();

      const ready = await waitFor(async () => {
        const answer = await call(server, 'GET', '/health/ready');
        return answer.status === 503 ? answer : undefined;
      });
      expect(ready.body).toEqual({
        status: 'unavailable',
        checks: { database: 'down', redis: 'off', migrations: 'unknown' },
      });
      expect(ready.headers.get('retry-after')).toBe('5');
      expect((await call(server, 'GET', '/health/live')).status).toBe(200);
      expect((await call(server, 'GET', '/metrics')).status).toBe(200);

      const refused = await sender.stripe(event);
      expectProblem(refused, 503, 'DATABASE_UNAVAILABLE');
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
      const read = await call(server, 'GET', '/api/webhook-events');
      expectProblem(read, 503, 'DATABASE_UNAVAILABLE');
      expect(read.text).not.toMatch(/ECONN|127\.0\.0\.1|postgres/i);
      // Verified still, from what is known: a forger learns nothing new.
      expectProblem(await sender.stripe(event, { secret: 'whsec_wrong' }), 401, 'WEBHOOK_SIGNATURE_INVALID');

      await postgres.restart();
      await waitFor(async () => (await call(server, 'GET', '/health/ready')).status === 200);
      expect(await sender.stripe(event)).toMatchObject({ status: 200, body: { status: 'accepted' } });
      expect((await sender.stripe(event)).body).toMatchObject({ status: 'already_processed' });
    } finally {
      await server.kill('SIGKILL');
      await postgres.stop();
    }
  });
});
