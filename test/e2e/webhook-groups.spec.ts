import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { EffectCluster } from '../support/effect-cluster.js';
import { effectEvent, type EffectParameters } from '../support/effect-event.js';
import { credit, TestLedger } from '../support/ledger.js';
import { waitFor } from '../support/wait-for.js';
import type { StripeEvent } from '../support/webhook-sender.js';

/** A few transactions at a time, so that what waits shares them. */
const WORKER = { WEBHOOK_CONCURRENCY: '2', WEBHOOK_PROCESSING_TIMEOUT_MS: '1400', WEBHOOK_LEASE_MS: '2400' };

let cluster: EffectCluster;

beforeAll(async () => {
  cluster = await EffectCluster.create();
});

afterAll(() => cluster?.end());

beforeEach(() => cluster.query('TRUNCATE webhook_events, webhook_attempts, webhook_sources, effects CASCADE'));

afterEach(() => cluster.killServers());

/** As if they had been taken in while nobody was there to process them. */
async function store(
  type: string,
  parameters: readonly EffectParameters[],
  { maxRetries = 3 } = {},
): Promise<StripeEvent[]> {
  const events = parameters.map((each) => effectEvent(type, each));
  await cluster.query(
    `INSERT INTO webhook_events (
       id, source, provider, idempotency_key, event_id, event_type, status, raw_body, payload_computed, metadata, payload_hash,
       next_attempt_at, max_retries
     )
     SELECT
       gen_random_uuid(), 'stripe', 'stripe', event_id || '_' || $3, event_id, $3, 'PENDING', convert_to(body, 'UTF8'), true,
       '{"headers": {"content-type": "application/json"}}', '', clock_timestamp(), $4
     FROM unnest($1::text[], $2::text[]) AS event (event_id, body)`,
    [events.map(({ id }) => id), events.map((event) => JSON.stringify(event)), type, maxRetries],
  );
  return events;
}

const times = (count: number, parameters: EffectParameters = {}) => Array.from({ length: count }, () => parameters);

/** How many effects the largest transaction has left behind. */
async function largestTransaction(): Promise<number> {
  const [row] = await cluster.query<{ largest: number }>(
    'SELECT max(n)::integer AS largest FROM (SELECT count(*) AS n FROM effects GROUP BY xmin::text) AS by_transaction',
  );
  return row?.largest ?? 0;
}

async function inProgress(type: string): Promise<number> {
  const [row] = await cluster.query<{ events: number }>(
    `SELECT count(*)::integer AS events FROM webhook_events WHERE status = 'PROCESSING' AND event_type = $1`,
    [type],
  );
  return row?.events ?? 0;
}

async function expectOnce(events: readonly StripeEvent[], outcomes: readonly string[] = ['processed']): Promise<void> {
  for (const { id } of events) {
    expect((await cluster.attempts(id)).map(({ outcome }) => outcome)).toEqual(outcomes);
    expect(await cluster.effects(id)).toHaveLength(1);
  }
}

describe('events that wait', () => {
  it('share transactions when their handlers are quick, and each is done once', async () => {
    const events = await store('test.effect', times(120));
    await cluster.start(WORKER);
    await cluster.untilAll('PROCESSED');
    await expectOnce(events);
    const largest = await largestTransaction();
    expect(largest).toBeGreaterThan(8);
    expect(largest).toBeLessThanOrEqual(25);
  });

  it('share none when their handlers are slow', async () => {
    await store('test.effect', times(20, { ms: 40 }));
    await cluster.start(WORKER);
    await cluster.untilAll('PROCESSED');
    expect(await largestTransaction()).toBe(1);
  });

  it('are done all the same when one among them fails, and the failure is that one’s alone', async () => {
    const events = await store('test.fails', [
      ...times(50, { failures: 0 }),
      { failures: 2 },
      ...times(30, { failures: 0 }),
    ]);
    await cluster.start(WORKER);
    await cluster.untilAll('PROCESSED');
    const failing = events.splice(50, 1);
    await expectOnce(events);
    await expectOnce(failing, ['failed', 'failed', 'processed']);
  });

  it('are done all the same when one among them hangs', async () => {
    const events = await store('test.hang', [
      ...times(40, { failures: 0 }),
      { failures: 1 },
      ...times(40, { failures: 0 }),
    ]);
    await cluster.start(WORKER);
    await cluster.untilAll('PROCESSED');
    const hanging = events.splice(40, 1);
    await expectOnce(events);
    await expectOnce(hanging, ['timed_out', 'processed']);
  });

  it('are done all the same when one among them kills the worker, again and again', async () => {
    const events = await store('test.crash', [
      ...times(30, { failures: 0 }),
      { failures: 3 },
      ...times(30, { failures: 0 }),
    ]);
    const [culprit] = events.splice(30, 1);
    // It may be killed before it has said that it is ready.
    for (let kill = 1; kill <= 3; kill++)
      await cluster.start(WORKER).then(
        (worker) => worker.exitCode(),
        () => undefined,
      );
    await cluster.start(WORKER);
    await cluster.untilAll('PROCESSED');
    await expectOnce([culprit!], ['abandoned', 'abandoned', 'abandoned', 'processed']);
    for (const { id } of events) expect(await cluster.effects(id)).toHaveLength(1);
  });

  it('are handed back as they were when the process ends', async () => {
    // The quick ones make it claim many; then it has more slow ones than run.
    await store('test.effect', times(80));
    await store('test.fails', times(300, { failures: 0, ms: 30 }));
    const worker = await cluster.start(WORKER);
    await waitFor(async () => (await inProgress('test.fails')) > 2);
    expect(await worker.stop()).toBe(0);
    const rows = await cluster.query<{ status: string; attempts: number }>(
      `SELECT DISTINCT status, attempts FROM webhook_events WHERE status <> 'PROCESSED'`,
    );
    expect(rows).toEqual([{ status: 'PENDING', attempts: 0 }]);
  });
});

describe('a handler that takes batches', () => {
  it('is given many at once, never more than it asks for, and each event is done once', async () => {
    const events = await store('test.batch', times(100));
    await cluster.start(WORKER);
    await cluster.untilAll('PROCESSED');
    await expectOnce(events);
    const sizes = (await cluster.effects()).map(({ value }) => Number(value));
    expect(Math.max(...sizes)).toBeGreaterThan(4);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(20);
  });

  it('is given what is to blame alone in the end', async () => {
    const events = await store('test.batch', [...times(45), { failures: 1 }, ...times(45)], {
      maxRetries: 1,
    });
    await cluster.start(WORKER);
    const [culprit] = events.splice(45, 1);
    await cluster.untilStatus(culprit!, 'DEAD_LETTER');
    for (const event of events) await cluster.untilStatus(event, 'PROCESSED');
    await expectOnce(events);
    expect(await cluster.effects(culprit!.id)).toEqual([]);
    expect((await cluster.attempts(culprit!.id)).map(({ outcome }) => outcome)).toEqual(['failed', 'failed']);
  });
});

describe('handlers that post to the ledger', () => {
  let bank: TestLedger;

  beforeAll(async () => {
    bank = await TestLedger.open(cluster.databaseUrl);
  });

  afterAll(() => bank?.close());

  /** @returns what all of them posted, once `until` has settled */
  async function postBeside(users: readonly string[], until: Promise<unknown>): Promise<number> {
    const end = new AbortController();
    let posted = 0;
    const poster = async (_: unknown, turn: number) => {
      while (!end.signal.aborted) {
        const owner = users[turn % users.length] ?? '';
        await bank.post(credit({ kind: 'user', owner, currency: 'USD' }, 1));
        posted++;
      }
    };
    const posters = Promise.all(Array.from({ length: 40 }, poster));
    await until.finally(() => end.abort());
    await posters;
    return posted;
  }

  it('succeed at their first attempt beside everybody else who posts to the same accounts', async () => {
    const users = ['ann', 'ben', 'cleo', 'dan'];
    await Promise.all(users.map((user) => bank.fund(user, 0)));
    const events = await store('test.settlement', users.map((value) => times(25, { value })).flat());
    const settled = cluster.start({ WEBHOOK_CONCURRENCY: '4' }).then(() => cluster.untilAll('PROCESSED'));
    const posted = await postBeside(users, settled);
    await expectOnce(events);
    const balances = await Promise.all(users.map((owner) => bank.balanceOf({ kind: 'user', owner, currency: 'USD' })));
    expect(balances.reduce<bigint>((sum, balance) => sum + (balance ?? 0n), 0n)).toBe(BigInt(posted + events.length));
    expect((await bank.integrity.check()).ok).toBe(true);
  });

  it('are given up after 5 s, so that everybody else can post again', async () => {
    await bank.fund('eve', 0);
    const [event] = await store('test.settlement', [{ value: 'eve', failures: 1 }]);
    await cluster.start({ WEBHOOK_CONCURRENCY: '4' });
    await waitFor(async () => (await inProgress('test.settlement')) > 0);
    await cluster.untilStatus(event!, 'PROCESSED');
    expect((await cluster.attempts(event!.id)).map(({ outcome }) => outcome)).toEqual(['timed_out', 'processed']);
    expect(await bank.balanceOf({ kind: 'user', owner: 'eve', currency: 'USD' })).toBe(1n);
  });
});
