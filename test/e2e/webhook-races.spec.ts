import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { EffectCluster } from '../support/effect-cluster.js';
import { effectEvent, sendEvent } from '../support/effect-event.js';
import type { Answer } from '../support/http-answer.js';
import { Scrape } from '../support/metrics.js';
import type { TestServer } from '../support/server.js';
import { SECRETS } from '../support/signing.js';
import { type StripeEvent, WebhookSender } from '../support/webhook-sender.js';

let cluster: EffectCluster;
let servers: TestServer[];

beforeAll(async () => {
  cluster = await EffectCluster.create();
  servers = await Promise.all([cluster.start(), cluster.start()]);
  await cluster.createSource('inline', { processing: 'inline' });
  await cluster.createSource('ordered', { ordering: 'entity' });
  await cluster.createSource('tickets', { provider: 'gorgias', secret: SECRETS.gorgias, rateLimitPerMinute: 0 });
});

afterAll(() => cluster?.end());

beforeEach(async () => {
  await cluster.query('TRUNCATE webhook_events, webhook_attempts, effects CASCADE');
  await cluster.query('UPDATE counters SET value = 0');
});

/** All at the same time, over both servers in turn. */
function sendAtOnce(events: readonly StripeEvent[], source = 'stripe'): Promise<Answer[]> {
  return Promise.all(events.map((event, index) => sendEvent(servers[index % servers.length]!.url, event, source)));
}

function countOf(answers: readonly Answer[], status: string): number {
  return answers.filter(({ body }) => body['status'] === status).length;
}

/** Transactions run again because of a rival, over both servers. */
async function retries(): Promise<number> {
  const scrapes = await Promise.all(servers.map((server) => Scrape.of(server)));
  return scrapes.reduce(
    (sum, scrape) => sum + (scrape.value('holdfast_transactions_total', { outcome: 'retried' }) ?? 0),
    0,
  );
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, at: Math.random() }))
    .sort((one, other) => one.at - other.at)
    .map(({ item }) => item);
}

describe('the same event 50 times at once over two servers', () => {
  it('is one row with one effect, accepted once, and 200 for every sender', async () => {
    const event = effectEvent('test.effect');
    const answers = await sendAtOnce(Array<StripeEvent>(50).fill(event));
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200));
    expect(countOf(answers, 'accepted')).toBe(1);
    expect(countOf(answers, 'already_processed')).toBe(49);
    expect(new Set(answers.map(({ body }) => body['id'])).size).toBe(1);
    await cluster.untilAll('PROCESSED');
    expect(await cluster.query('SELECT id FROM webhook_events')).toMatchObject([{ id: answers[0]!.body['id'] }]);
    expect(await cluster.effects()).toHaveLength(1);
    expect(await cluster.attempts(event.id)).toHaveLength(1);
  });

  it('is processed once also while its source runs handlers before it answers', async () => {
    const event = effectEvent('test.effect', { ms: 50 });
    const answers = await sendAtOnce(Array<StripeEvent>(50).fill(event), 'inline');
    expect(countOf(answers, 'processed')).toBe(1);
    expect(countOf(answers, 'already_processed')).toBe(49);
    await cluster.untilAll('PROCESSED');
    expect(await cluster.effects()).toHaveLength(1);
  });

  it('keeps altered bodies beside the first to arrive, and processes only that one', async () => {
    const event = effectEvent('test.effect');
    const forged = Array.from({ length: 5 }, (_, altered) => ({ ...event, altered }));
    const events = shuffled([...Array<StripeEvent>(45).fill(event), ...forged]);
    const answers = await sendAtOnce(events);
    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200));
    expect(countOf(answers, 'accepted')).toBe(1);
    await cluster.untilAll('PROCESSED');
    expect(await cluster.effects()).toHaveLength(1);

    const first = events[answers.findIndex(({ body }) => body['status'] === 'accepted')]!;
    const stored = await cluster.query<{ body: string }>(
      `SELECT convert_from(raw_body, 'UTF8') AS body FROM webhook_events`,
    );
    expect(stored).toEqual([{ body: JSON.stringify(first) }]);
    const kept = await cluster.query<{ body: string }>(
      `SELECT convert_from(raw_body, 'UTF8') AS body FROM webhook_event_conflicts`,
    );
    const bodies = new Set(events.map((sent) => JSON.stringify(sent)));
    bodies.delete(JSON.stringify(first));
    expect(new Set(kept.map(({ body }) => body))).toEqual(bodies);
    expect(kept).toHaveLength(5);
  });
});

describe('a state that comes back', () => {
  const state = (status: string) => ({ webhook_id: 'wh_1', event_type: 'ticket-updated', ticket: { id: 1, status } });
  const send = (status: string, index = 0) =>
    new WebhookSender(servers[index % servers.length]!.url).send('gorgias', state(status), {
      path: '/webhooks/tickets',
    });
  const laterBy = (hours: number) =>
    cluster.query(`UPDATE webhook_events SET created_at = created_at - $1 * interval '1 hour'`, [hours]);
  const effects = async () => (await cluster.effects()).map(({ value }) => value);

  it('runs each time once its sender cannot be sending it again any more, and a resend does not', async () => {
    for (const status of ['open', 'closed', 'open', 'closed']) {
      expect((await send(status)).body).toMatchObject({ status: 'accepted' });
      await laterBy(5);
      expect((await send(status, 1)).body).toMatchObject({ status: 'already_processed' });
      await laterBy(2);
      await cluster.untilAll('PROCESSED');
    }
    expect(await effects()).toEqual(['open', 'closed', 'open', 'closed']);
  });

  it('is one more row with one more effect when it comes back twenty times at once over two servers', async () => {
    await send('open');
    await cluster.untilAll('PROCESSED');
    await laterBy(7);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => send('open', index)));
    expect(countOf(answers, 'accepted')).toBe(1);
    expect(countOf(answers, 'already_processed')).toBe(19);
    expect(new Set(answers.map(({ body }) => body['id'])).size).toBe(1);
    await cluster.untilAll('PROCESSED');
    expect(await effects()).toEqual(['open', 'open']);
  });
});

describe('many events, each sent three times in any order', () => {
  it('are each stored once and take effect once', async () => {
    const events = Array.from({ length: 150 }, () => effectEvent('test.effect'));
    const answers = await sendAtOnce(shuffled([...events, ...events, ...events]));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(countOf(answers, 'accepted')).toBe(150);
    await cluster.untilAll('PROCESSED');
    expect(await cluster.query('SELECT FROM webhook_events')).toHaveLength(150);
    expect(await cluster.wrongEffects()).toEqual([]);
  });
});

describe('events that have nothing to do with each other', () => {
  it.each(['stripe', 'ordered'])('run side by side without failing one another: source %s', async (source) => {
    const before = await retries();
    const events = Array.from({ length: 40 }, () => effectEvent('test.effect', { ms: 50 }));
    await sendAtOnce(events, source);
    await cluster.untilAll('PROCESSED');
    const outcomes = await cluster.query(
      'SELECT outcome, attempt, count(*)::integer AS count FROM webhook_attempts GROUP BY 1, 2',
    );
    expect(outcomes).toEqual([{ outcome: 'processed', attempt: 1, count: 40 }]);
    expect(await retries()).toBe(before);
  });
});

describe('handlers that read what they then change', () => {
  it('count every event once: a serialization failure makes one of two rivals run again', async () => {
    const before = await retries();
    await sendAtOnce(Array.from({ length: 60 }, () => effectEvent('test.counter')));
    await cluster.untilAll('PROCESSED', 25_000);
    expect(await cluster.query('SELECT value FROM counters')).toEqual([{ value: 60 }]);
    expect(await retries()).toBeGreaterThan(before);
  });
});

describe('events of one entity that arrive at the same moment on two servers', () => {
  it('never run at the same time', async () => {
    const ms = 20;
    const events = Array.from({ length: 30 }, () => effectEvent('test.effect', { id: 'pi_rush', ms }));
    await sendAtOnce(events, 'ordered');
    await cluster.untilAll('PROCESSED');
    const starts = (await cluster.effects()).map(({ at }) => at.getTime());
    expect(starts).toHaveLength(30);
    const pauses = starts.slice(1).map((start, index) => start - starts[index]!);
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(ms - 1);
  });
});

describe('sweeps on several servers at once', () => {
  it('recover each abandoned event once, and it takes effect once', async () => {
    const events = Array.from({ length: 200 }, () => effectEvent('test.effect'));
    await cluster.query(
      `INSERT INTO webhook_events (
         id, source, provider, idempotency_key, event_id, event_type, status, raw_body, metadata, payload_hash,
         claim_id, claimed_by, claimed_at, next_attempt_at
       )
       SELECT
         gen_random_uuid(), 'stripe', 'stripe', event_id || '_test.effect', event_id, 'test.effect', 'PROCESSING',
         convert_to(body, 'UTF8'), '{"headers": {}}', 'none',
         gen_random_uuid(), 'gone:1', now() - interval '1 minute', now() - interval '1 second'
       FROM unnest($1::text[], $2::text[]) AS t (event_id, body)`,
      [events.map(({ id }) => id), events.map((event) => JSON.stringify(event))],
    );
    await cluster.untilAll('PROCESSED');
    expect(await cluster.wrongEffects()).toEqual([]);
    const attempts = await cluster.query(
      'SELECT attempt, outcome, count(*)::integer AS count FROM webhook_attempts GROUP BY 1, 2 ORDER BY 1',
    );
    expect(attempts).toEqual([
      { attempt: 1, outcome: 'abandoned', count: 200 },
      { attempt: 2, outcome: 'processed', count: 200 },
    ]);
    const workers = await cluster.query<{ worker: string }>(
      `SELECT DISTINCT worker FROM webhook_attempts WHERE outcome = 'abandoned'`,
    );
    expect(workers).toEqual([{ worker: 'gone:1' }]);
  });
});
