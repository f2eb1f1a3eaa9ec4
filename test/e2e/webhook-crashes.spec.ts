import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { EffectCluster } from '../support/effect-cluster.js';
import { effectEvent, sendEvent } from '../support/effect-event.js';
import { Scrape } from '../support/metrics.js';
import type { TestServer } from '../support/server.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { waitFor } from '../support/wait-for.js';

/** So that the work of a dead process is taken over soon, and that of a busy one is not. */
const SHORT_LEASE = { WEBHOOK_LEASE_MS: '2400', WEBHOOK_PROCESSING_TIMEOUT_MS: '1400', WEBHOOK_MAX_RETRIES: '3' };

let cluster: EffectCluster;

beforeAll(async () => {
  cluster = await EffectCluster.create();
});

afterAll(() => cluster?.end());

beforeEach(() => cluster.query('TRUNCATE webhook_events, webhook_attempts, webhook_sources, effects CASCADE'));

afterEach(() => cluster.killServers());

async function outcomes(eventId: string): Promise<string[]> {
  return (await cluster.attempts(eventId)).map(({ outcome }) => outcome);
}

function isWorkOf(server: TestServer, worker: string | null | undefined): boolean {
  return worker?.endsWith(`:${server.pid}`) ?? false;
}

/** Resolves with the one that is still alive. */
function survivor(servers: readonly TestServer[]): Promise<TestServer> {
  return waitFor(() =>
    servers.some((server) => server.hasExited) ? servers.find((each) => !each.hasExited) : undefined,
  );
}

describe('kill -9 after the COMMIT and before the answer', () => {
  it('loses nothing: the retry of the sender is a duplicate, and the effect happens once', async () => {
    const database = new URL(cluster.databaseUrl);
    const proxy = await TcpProxy.start(Number(database.port));
    try {
      database.port = String(proxy.port);
      const first = await cluster.start({ DATABASE_URL: database.href, ROLE: 'api' });
      // Some connections stand open, so that one is free when the others wait for an answer.
      await Promise.all(Array.from({ length: 6 }, () => first.fetch('/api/webhook-events')));
      proxy.hold();
      const event = effectEvent('test.effect');
      const answer = sendEvent(first.url, event).catch((error: unknown) => error);
      await cluster.untilStatus(event, 'PENDING');
      await first.kill('SIGKILL');
      expect(await answer).toBeInstanceOf(TypeError);

      const second = await cluster.start();
      const retry = await cluster.accept(second, event);
      expect(retry.body).toMatchObject({ status: 'already_processed', id: (await cluster.event(event.id))?.id });
      await cluster.untilStatus(event, 'PROCESSED');
      expect(await cluster.effects(event.id)).toHaveLength(1);
    } finally {
      await proxy.stop();
    }
  });
});

describe('kill -9 in the middle of a handler', () => {
  it('rolls its write back; another process takes over after the lease, and the log tells', async () => {
    const servers = await Promise.all([cluster.start(SHORT_LEASE), cluster.start(SHORT_LEASE)]);
    const event = effectEvent('test.crash', { failures: 1 });
    await cluster.accept(servers[0], event);
    const alive = await survivor(servers);
    await cluster.untilStatus(event, 'PROCESSED');
    expect((await cluster.effects(event.id)).map(({ attempt, pid }) => [attempt, pid])).toEqual([[2, alive.pid]]);
    const [abandoned, processed] = await cluster.attempts(event.id);
    expect(abandoned).toMatchObject({ outcome: 'abandoned', error: expect.stringContaining('killed') });
    expect(isWorkOf(alive, abandoned?.worker)).toBe(false);
    expect(processed).toMatchObject({ outcome: 'processed' });
    expect(isWorkOf(alive, processed?.worker)).toBe(true);
  });

  it('of an inline source is the same: the sender gets no answer, and its retry is a duplicate', async () => {
    const [first, second] = await Promise.all([
      cluster.start(SHORT_LEASE),
      cluster.start({ ...SHORT_LEASE, ROLE: 'worker' }),
    ]);
    await cluster.createSource('inline', { processing: 'inline' });
    const event = effectEvent('test.crash', { failures: 1 });
    await expect(sendEvent(first.url, event, 'inline')).rejects.toThrow(TypeError);
    expect((await cluster.accept(second, event, 'inline')).body).toMatchObject({ status: 'already_processed' });
    await cluster.untilStatus(event, 'PROCESSED');
    expect(await outcomes(event.id)).toEqual(['abandoned', 'processed']);
    expect(await cluster.effects(event.id)).toHaveLength(1);
  });

  it('each time the event is tried makes a dead letter of it, so that it cannot kill for ever', async () => {
    const env = { ...SHORT_LEASE, WEBHOOK_MAX_RETRIES: '1' };
    const servers = await Promise.all([cluster.start(env), cluster.start(env), cluster.start(env)]);
    const event = effectEvent('test.crash', { failures: 99 });
    await cluster.accept(servers[0], event);
    const { id } = await cluster.untilStatus(event, 'DEAD_LETTER');
    expect(await outcomes(event.id)).toEqual(['abandoned', 'abandoned']);
    expect(await cluster.effects(event.id)).toEqual([]);
    expect(
      await cluster.query(`SELECT FROM audit_log WHERE action = 'webhook.dead_lettered' AND subject = $1`, [
        `webhook-event:${id}`,
      ]),
    ).toHaveLength(1);
    const alive = servers.filter((server) => !server.hasExited);
    expect(alive).toHaveLength(1);
    const next = effectEvent('test.effect');
    await cluster.accept(alive[0]!, next);
    await cluster.untilStatus(next, 'PROCESSED');
  });
});

describe('a worker that stands still past its lease (SIGSTOP) and goes on (SIGCONT)', () => {
  it('can complete nothing any more: another has done the work, and the effect happened once', async () => {
    const [one, two] = await Promise.all([cluster.start(SHORT_LEASE), cluster.start(SHORT_LEASE)]);
    const event = effectEvent('test.effect', { ms: 1000 });
    await cluster.accept(one, event);
    const { claimed_by } = await cluster.untilStatus(event, 'PROCESSING');
    const [frozen, other] = isWorkOf(one, claimed_by) ? [one, two] : [two, one];
    expect(isWorkOf(frozen, claimed_by)).toBe(true);
    await frozen.kill('SIGSTOP');
    await cluster.untilStatus(event, 'PROCESSED');
    await frozen.kill('SIGCONT');

    const lost = { source: 'stripe', status: 'LOST' };
    await waitFor(async () => (await Scrape.of(frozen)).value('holdfast_webhook_events_processed_total', lost) === 1);
    expect((await cluster.effects(event.id)).map(({ pid }) => pid)).toEqual([other.pid]);
    expect(await outcomes(event.id)).toEqual(['abandoned', 'processed']);

    const next = effectEvent('test.effect');
    await cluster.accept(frozen, next);
    await cluster.untilStatus(next, 'PROCESSED');
    expect(frozen.hasExited).toBe(false);
  });
});
