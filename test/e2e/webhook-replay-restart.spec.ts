import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EFFECT_SCHEMA } from '../support/effect-schema.js';
import { call } from '../support/http-answer.js';
import { startServer, type TestServer } from '../support/server.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { waitFor } from '../support/wait-for.js';
import { stripeEvent } from '../support/webhook-sender.js';

const EVENTS = 12;
const entry = 'test/support/effect-server.ts';

/** Takes webhooks in and runs none of them, nor any job. */
const holdfast = serverUnderTest({ env: { ROLE: 'api' }, entry });

beforeAll(() => holdfast.sql(EFFECT_SCHEMA));

const workers: TestServer[] = [];

/** With a short lease: what the killed one was running must not be waited for. */
async function startWorker(): Promise<TestServer> {
  const env = { ROLE: 'worker', WEBHOOK_LEASE_MS: '1000', SWEEP_INTERVAL_MS: '100' };
  const worker = await startServer({ env: { DATABASE_URL: holdfast.database.url, ...env }, entry });
  workers.push(worker);
  return worker;
}

afterAll(() => Promise.all(workers.map((worker) => worker.kill('SIGKILL'))));

async function effectsPerEvent(): Promise<number[]> {
  const rows = await holdfast.sql<{ effects: number }>(
    'SELECT count(*)::integer AS effects FROM effects GROUP BY event_id',
  );
  return rows.map(({ effects }) => effects);
}

describe('A replay job whose worker is killed', () => {
  it('goes on where it was on the next worker, and replays each event once', async () => {
    const first = await startWorker();
    for (let sent = 0; sent < EVENTS; sent += 1) await holdfast.sender.stripe(stripeEvent('test.effect'));
    const allHave = async (effects: number) =>
      (await effectsPerEvent()).join() === Array<number>(EVENTS).fill(effects).join();
    await waitFor(() => allHave(1));

    const job = await holdfast.call('POST', '/api/replay-jobs', { filter: { source: 'stripe' }, ratePerSecond: 3 });
    const progress = async () =>
      (await call(holdfast.server, 'GET', `/api/replay-jobs/${String(job.body['id'])}`)).body;
    await waitFor(async () => Number((await progress())['replayed']) >= 3);
    await first.kill('SIGKILL');
    const interrupted = await progress();
    expect(interrupted).toMatchObject({ status: 'RUNNING', total: EVENTS });
    expect(interrupted['replayed']).toBeLessThan(EVENTS);

    await startWorker();
    const ended = await waitFor(async () => {
      const now = await progress();
      return now['status'] === 'RUNNING' ? undefined : now;
    });
    expect(ended).toMatchObject({ status: 'COMPLETED', examined: EVENTS, replayed: EVENTS });
    await waitFor(() => allHave(2));
  });
});
