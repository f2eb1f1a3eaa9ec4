import { once } from 'node:events';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { EffectCluster, type EventRow } from '../support/effect-cluster.js';
import { effectEvent, sendEvent } from '../support/effect-event.js';
import type { TestServer } from '../support/server.js';
import { waitFor } from '../support/wait-for.js';
import type { StripeEvent } from '../support/webhook-sender.js';

/** What a shutdown may take besides: rolling back, sealing the audit log, closing pools, on a busy machine. */
const SLACK_MS = 5000;

let cluster: EffectCluster;
/** Runs all the time and takes over. */
let other: TestServer;

beforeAll(async () => {
  cluster = await EffectCluster.create();
  other = await cluster.start();
  await cluster.createSource('inline', { processing: 'inline' });
});

afterAll(() => cluster?.end());

beforeEach(() => cluster.query('TRUNCATE webhook_events, webhook_attempts, effects CASCADE'));

/** Ends the server and tells how. */
async function end(server: TestServer, signal: NodeJS.Signals): Promise<{ code: number | null; ms: number }> {
  const start = performance.now();
  await server.kill(signal);
  const code = await server.exitCode();
  return { code, ms: performance.now() - start };
}

/** An event that this server, and not the other one, is running. */
async function runningOn(server: TestServer, type: string): Promise<StripeEvent> {
  return waitFor(async () => {
    const event = effectEvent(type, { pid: server.pid });
    await cluster.accept(server, event);
    const row = await waitFor(() => unlessPending(event));
    return row.claimed_by?.endsWith(`:${server.pid}`) ? event : undefined;
  });
}

async function unlessPending({ id }: StripeEvent): Promise<EventRow | undefined> {
  const row = await cluster.event(id);
  return row?.status === 'PENDING' ? undefined : row;
}

describe('SIGTERM', () => {
  it('ends an idle server at once, with exit code 0', async () => {
    const server = await cluster.start();
    const { code, ms } = await end(server, 'SIGTERM');
    expect(code).toBe(0);
    expect(ms).toBeLessThan(SLACK_MS);
    expect(server.logs().at(-1)).toMatchObject({ msg: 'stopped' });
  });

  it('under load loses no event that was answered 2xx: the other server takes over what is left', async () => {
    const server = await cluster.start({ SHUTDOWN_TIMEOUT_MS: '5000' });
    const accepted = new Map<string, unknown>();
    const statuses = new Set<number>();
    const events = Array.from({ length: 300 }, () => effectEvent('test.effect', { ms: 10 }));

    /** First to the server that ends; what it does not take goes to the other, as a load balancer would send it. */
    const deliver = async (event: StripeEvent) => {
      for (const { url } of [server, other, other]) {
        const answer = await sendEvent(url, event).catch(() => undefined);
        if (answer) statuses.add(answer.status);
        if (answer?.status !== 200) continue;
        accepted.set(event.id, answer.body['id']);
        return;
      }
    };
    const queue = [...events];
    const senders = Array.from({ length: 8 }, async () => {
      for (let event = queue.shift(); event; event = queue.shift()) await deliver(event);
    });
    await waitFor(() => accepted.size >= 60);
    const ended = end(server, 'SIGTERM');
    await Promise.all(senders);
    const { code, ms } = await ended;

    expect(code).toBe(0);
    expect(ms).toBeLessThan(5000 + SLACK_MS);
    expect(accepted.size).toBe(events.length);
    expect([...statuses].filter((status) => status !== 200 && status !== 503)).toEqual([]);
    await cluster.untilAll('PROCESSED');
    const stored = await cluster.query<{ id: string; event_id: string }>('SELECT id, event_id FROM webhook_events');
    expect(new Map(stored.map(({ id, event_id }) => [event_id, id]))).toEqual(accepted);
    expect(await cluster.wrongEffects()).toEqual([]);
    const attempts = await cluster.query('SELECT DISTINCT attempt, outcome FROM webhook_attempts');
    expect(attempts).toEqual([{ attempt: 1, outcome: 'processed' }]);
  });

  it('waits for the request in flight, answers it, and then for nothing more', async () => {
    const server = await cluster.start({ SHUTDOWN_TIMEOUT_MS: '20000' });
    const event = effectEvent('test.effect', { ms: 1500 });
    const answer = sendEvent(server.url, event, 'inline');
    await cluster.untilStatus(event, 'PROCESSING');
    const { code, ms } = await end(server, 'SIGTERM');
    expect(code).toBe(0);
    expect(ms).toBeLessThan(1500 + SLACK_MS);
    expect(await answer).toMatchObject({ status: 200, body: { status: 'processed' } });
    expect(await cluster.effects(event.id)).toHaveLength(1);
  });

  it('hands the event of a handler that does not end back at once: no retry is lost, no lease waited for', async () => {
    const server = await cluster.start({ SHUTDOWN_TIMEOUT_MS: '1000' });
    const event = await runningOn(server, 'test.hang');
    const { code, ms } = await end(server, 'SIGTERM');
    expect(code).toBe(0);
    expect(ms).toBeLessThan(1000 + SLACK_MS);
    expect(await cluster.untilStatus(event, 'PROCESSED', SLACK_MS)).toMatchObject({ attempts: 1, retry_count: 0 });
    expect((await cluster.effects(event.id)).map(({ pid }) => pid)).toEqual([other.pid]);
  });

  it('does not wait for a statement without end; its event is done by another after the lease', async () => {
    const server = await cluster.start({
      SHUTDOWN_TIMEOUT_MS: '1000',
      WEBHOOK_LEASE_MS: '9600',
      WEBHOOK_PROCESSING_TIMEOUT_MS: '6000',
    });
    const event = await runningOn(server, 'test.hang_in_sql');
    const { code, ms } = await end(server, 'SIGTERM');
    expect(code).toBe(0);
    expect(ms).toBeLessThan(1000 + SLACK_MS);
    await cluster.untilStatus(event, 'PROCESSED');
    expect((await cluster.effects(event.id)).map(({ pid }) => pid)).toEqual([other.pid]);
  });

  it('cuts off a request that does not arrive completely', async () => {
    const server = await cluster.start({ SHUTDOWN_TIMEOUT_MS: '1000' });
    const socket = connect(Number(new URL(server.url).port), '127.0.0.1');
    const closed = once(socket, 'close');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write('POST /webhooks/stripe HTTP/1.1\r\nHost: holdfast.test\r\nContent-Length: 100\r\n\r\n{');
    await server.fetch('/health/live');
    const { code, ms } = await end(server, 'SIGTERM');
    expect(code).toBe(0);
    expect(ms).toBeLessThan(1000 + SLACK_MS);
    await closed;
  });
});

describe('SIGINT', () => {
  it('once finishes what is in flight; a second one, later, does not wait for it', async () => {
    const server = await cluster.start();
    await runningOn(server, 'test.hang');
    await server.kill('SIGINT');
    await waitFor(() => server.logs().some(({ msg }) => msg.startsWith('SIGINT')));
    expect(server.hasExited).toBe(false);
    const start = performance.now();
    // What comes within a moment is taken for the same request.
    await waitFor(
      async () => {
        await server.kill('SIGINT');
        return server.hasExited;
      },
      { interval: 400 },
    );
    expect(await server.exitCode()).toBe(130);
    expect(performance.now() - start).toBeLessThan(SLACK_MS);
  });
});

describe('a server with one role', () => {
  it('`api` takes events in and runs none; `worker` runs them, is ready, and takes events in as well', async () => {
    await other.stop();
    const api = await cluster.start({ ROLE: 'api' });
    const before = effectEvent('test.effect');
    await cluster.accept(api, before);
    const worker = await cluster.start({ ROLE: 'worker' });
    const events = Array.from({ length: 20 }, () => effectEvent('test.effect'));
    await Promise.all(events.map((event) => cluster.accept(api, event)));
    const own = effectEvent('test.effect');
    await cluster.accept(worker, own);
    await Promise.all([before, ...events, own].map((event) => cluster.untilStatus(event, 'PROCESSED')));
    for (const { id } of [before, ...events, own]) {
      expect((await cluster.effects(id)).map(({ pid }) => pid)).toEqual([worker.pid]);
    }
    for (const server of [api, worker]) {
      expect((await server.fetch('/health/ready')).status).toBe(200);
      expect(await server.stop()).toBe(0);
    }
  });
});
