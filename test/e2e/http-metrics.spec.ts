import { beforeAll, describe, expect, it } from '@jest/globals';
import { EFFECT_SCHEMA } from '../support/effect-schema.js';
import { Scrape } from '../support/metrics.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { waitFor } from '../support/wait-for.js';
import { stripeEvent } from '../support/webhook-sender.js';

const entry = 'test/support/effect-server.ts';

describe('The metrics of a server', () => {
  const holdfast = serverUnderTest({ entry, env: { WEBHOOK_RETRY_BASE_MS: '10' } });
  beforeAll(() => holdfast.sql(EFFECT_SCHEMA));

  /** How much each of these has grown by what `work` did. */
  async function growth(series: [name: string, labels?: Record<string, string>][], work: () => Promise<unknown>) {
    const read = async () => {
      const scrape = await Scrape.of(holdfast.server);
      return series.map(([name, labels]) => scrape.value(name, labels) ?? 0);
    };
    const before = await read();
    await work();
    return (await read()).map((value, index) => value - (before[index] ?? 0));
  }

  it('are in the Prometheus text format', async () => {
    const response = await fetch(`${holdfast.server.url}/metrics`);
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    const lines = (await response.text()).split('\n').filter((line) => line !== '');
    for (const line of lines) expect(line).toMatch(/^(?:# (?:HELP|TYPE) \w+ .+|\w+(?:\{.*\})? \S+)$/);
  });

  it('count requests by route and status, and never by what a caller wrote into the path', async () => {
    const route = { method: 'GET', route: '/api/webhook-events/:id', status: '404' };
    const grown = await growth([['holdfast_http_request_duration_seconds_count', route]], async () => {
      await holdfast.call('GET', '/api/webhook-events/made-up-by-the-caller');
      await holdfast.call('GET', '/api/webhook-events/made-up-too');
    });
    expect(grown).toEqual([2]);
    await holdfast.call('GET', '/made-up-by-the-caller');
    expect([...(await Scrape.of(holdfast.server)).labelValues('route')].join()).not.toContain('made-up');
  });

  it('count events by source and by what they were', async () => {
    const received = 'holdfast_webhook_events_received_total';
    const grown = await growth(
      [
        [received, { source: 'stripe', result: 'stored' }],
        [received, { source: 'stripe', result: 'duplicate' }],
        [received, { source: 'stripe', result: 'conflict' }],
        ['holdfast_webhook_duplicates_total', { source: 'stripe' }],
        ['holdfast_webhook_conflicts_total', { source: 'stripe' }],
        ['holdfast_webhook_signature_failures_total', { source: 'stripe' }],
        ['holdfast_webhook_rejected_total', { source: 'stripe', code: 'WEBHOOK_SIGNATURE_INVALID' }],
        ['holdfast_webhook_rejected_total', { source: 'stripe', code: 'WEBHOOK_PAYLOAD_INVALID' }],
      ],
      async () => {
        const event = stripeEvent();
        await holdfast.sender.stripe(event);
        await holdfast.sender.stripe(event);
        await holdfast.sender.stripe({ ...event, note: 'another body' });
        await holdfast.sender.stripe(event, { secret: 'whsec_wrong' });
        await holdfast.sender.post('/webhooks/stripe', '{}');
        await holdfast.sender.stripe('no json');
      },
    );
    expect(grown).toEqual([1, 1, 1, 1, 1, 2, 1, 1]);
  });

  it('count attempts by how they ended, with their time, the retries and the dead letters', async () => {
    const processed = 'holdfast_webhook_events_processed_total';
    const grown = await growth(
      [
        [processed, { source: 'stripe', status: 'PROCESSED' }],
        [processed, { source: 'stripe', status: 'FAILED' }],
        [processed, { source: 'stripe', status: 'DEAD_LETTER' }],
        ['holdfast_webhook_retries_total', { source: 'stripe' }],
        ['holdfast_webhook_dead_letters_total', { source: 'stripe' }],
        ['holdfast_webhook_processing_seconds_count', { source: 'stripe' }],
      ],
      async () => {
        const good = await holdfast.sender.stripe(stripeEvent('test.effect'));
        const bad = await holdfast.sender.stripe(stripeEvent('test.fails'));
        await holdfast.eventIn('PROCESSED', good.body['id']);
        await holdfast.eventIn('DEAD_LETTER', bad.body['id']);
      },
    );
    expect(grown).toEqual([1, 3, 1, 3, 1, 5]);
  });

  it('tell how long processing took', async () => {
    const [seconds] = await growth([['holdfast_webhook_processing_seconds_sum', { source: 'stripe' }]], async () => {
      const { body } = await holdfast.sender.stripe(stripeEvent('test.effect', { object: { ms: 300 } }));
      await holdfast.eventIn('PROCESSED', body['id']);
    });
    expect(seconds).toBeGreaterThan(0.29);
    expect(seconds).toBeLessThan(5);
  });

  it('tell how many events were committed together', async () => {
    const ingest = { coalescer: 'webhook_ingest' };
    const [batches = 0, items] = await growth(
      [
        ['holdfast_coalescer_batch_size_count', ingest],
        ['holdfast_coalescer_batch_size_sum', ingest],
      ],
      () => Promise.all(Array.from({ length: 60 }, () => holdfast.sender.stripe(stripeEvent()))),
    );
    expect(items).toBe(60);
    expect(batches).toBeGreaterThan(0);
    expect(batches).toBeLessThan(60);
  });

  it('count transactions that ran again after a serialization failure', async () => {
    const [retries] = await growth([['holdfast_transactions_total', { outcome: 'retried' }]], async () => {
      const answers = await Promise.all(
        Array.from({ length: 12 }, () => holdfast.sender.stripe(stripeEvent('test.counter'))),
      );
      for (const { body } of answers) await holdfast.eventIn('PROCESSED', body['id']);
    });
    expect(retries).toBeGreaterThan(0);
    expect(await holdfast.sql('SELECT value FROM counters')).toEqual([{ value: 12 }]);
  });

  it('tell what the pool does and what waits', async () => {
    const scrape = await Scrape.of(holdfast.server);
    expect(scrape.value('holdfast_db_pool_connections', { state: 'total' })).toBeGreaterThan(0);
    expect(scrape.value('holdfast_db_pool_connections', { state: 'idle' })).toBeGreaterThanOrEqual(0);
    expect(scrape.value('holdfast_db_pool_connections', { state: 'waiting' })).toBe(0);
    expect(scrape.value('holdfast_coalescer_queue_length', { coalescer: 'webhook_ingest' })).toBe(0);
    expect(scrape.value('process_resident_memory_bytes')).toBeGreaterThan(0);
  });

  it('show an event that runs in the depth of the queue', async () => {
    const { body } = await holdfast.sender.stripe(stripeEvent('test.effect', { object: { ms: 1000 } }));
    const processing = async () =>
      (await Scrape.of(holdfast.server)).value('holdfast_webhook_queue_depth', { state: 'processing' });
    await waitFor(async () => (await processing()) === 1);
    await holdfast.eventIn('PROCESSED', body['id']);
    expect(await processing()).toBe(0);
  });

  it('count refused credentials by reason', async () => {
    const failures = 'holdfast_auth_failures_total';
    const key = await holdfast.keyWith('wallet:read');
    const grown = await growth(
      [
        [failures, { reason: 'missing' }],
        [failures, { reason: 'invalid' }],
        [failures, { reason: 'scope' }],
      ],
      async () => {
        await fetch(`${holdfast.server.url}/api/webhook-events`);
        await holdfast.call('GET', '/api/webhook-events', undefined, `hf_test_${'x'.repeat(40)}`);
        await holdfast.call('GET', '/api/webhook-events', undefined, key);
      },
    );
    expect(grown).toEqual([1, 1, 1]);
  });
});

describe('The metrics of a server that only takes events in', () => {
  const holdfast = serverUnderTest({ entry, env: { ROLE: 'api' } });

  it('show from the first scrape on how many wait, and how long the oldest that is due has waited', async () => {
    for (let sent = 0; sent < 3; sent += 1) {
      expect((await holdfast.sender.stripe(stripeEvent('test.effect'))).status).toBe(200);
    }
    await holdfast.sql(`UPDATE webhook_events SET next_attempt_at = now() - interval '90 seconds'`);
    const scrape = await Scrape.of(holdfast.server);
    expect(scrape.value('holdfast_webhook_queue_depth', { state: 'waiting' })).toBe(3);
    expect(scrape.value('holdfast_webhook_queue_depth', { state: 'processing' })).toBe(0);
    expect(scrape.value('holdfast_webhook_oldest_due_seconds')).toBeGreaterThan(89);
    expect(scrape.value('holdfast_webhook_oldest_due_seconds')).toBeLessThan(120);
  });
});
