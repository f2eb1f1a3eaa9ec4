import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { EFFECT_SCHEMA } from '../support/effect-schema.js';
import { expectProblem } from '../support/http-answer.js';
import { Scrape } from '../support/metrics.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { SECRETS } from '../support/signing.js';
import { bytesOf, newEventId, stripeEvent, type StripeEvent, unixNow } from '../support/webhook-sender.js';

const holdfast = serverUnderTest({
  entry: 'test/support/effect-server.ts',
  env: { WEBHOOK_RETRY_BASE_MS: '10', WEBHOOK_PROCESSING_TIMEOUT_MS: '1500' },
});

beforeAll(() => holdfast.sql(EFFECT_SCHEMA));

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const detailOf = async (id: unknown) => (await holdfast.call('GET', `/api/webhook-events/${String(id)}`)).body;

async function send(event: StripeEvent, path = '/webhooks/stripe'): Promise<string> {
  const { status, body } = await holdfast.sender.stripe(event, { path });
  expect({ status, body }).toMatchObject({ status: 200 });
  return String(body['id']);
}

async function effectsOf(event: StripeEvent): Promise<number> {
  return (await holdfast.sql('SELECT 1 FROM effects WHERE event_id = $1', [event.id])).length;
}

/** A source of the test's own, to have a list of its own. */
async function newSource(fields: object = {}): Promise<string> {
  const name = newEventId();
  const source = { name, provider: 'stripe', secret: SECRETS.stripe, ...fields };
  expect((await holdfast.call('POST', '/api/webhook-sources', source)).status).toBe(201);
  return name;
}

describe('An event', () => {
  it('is accepted, processed once by its handler, and shown with all that is known about it', async () => {
    const event = stripeEvent('test.effect', { object: { value: 'done' } });
    const answer = await holdfast.sender.stripe(event, {
      headers: { 'User-Agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)' },
    });
    expect(answer).toMatchObject({
      status: 200,
      body: { received: true, status: 'accepted', id: expect.stringMatching(UUID), eventId: event.id },
    });
    expect(Object.keys(answer.body).toSorted()).toEqual(['eventId', 'id', 'received', 'status']);
    const detail = await holdfast.eventIn('PROCESSED', answer.body['id']);
    expect(await effectsOf(event)).toBe(1);
    expect(detail).toEqual({
      id: answer.body['id'],
      source: 'stripe',
      eventId: event.id,
      eventType: 'test.effect',
      status: 'PROCESSED',
      idempotencyKey: `${event.id}_test.effect`,
      attempts: 1,
      retryCount: 0,
      maxRetries: 3,
      conflicts: 0,
      error: null,
      nextAttemptAt: null,
      receivedAt: expect.any(String),
      processedAt: expect.any(String),
      updatedAt: expect.any(String),
      processingTimeMs: expect.any(Number),
      occurredAt: new Date(Number(event['created']) * 1000).toISOString(),
      orderingKey: null,
      payload: event,
      bodyBase64: bytesOf(event).toString('base64'),
      payloadHash: createHash('sha256').update(bytesOf(event)).digest('hex'),
      headers: expect.objectContaining({ 'content-type': 'application/json', 'stripe-signature': '[redacted]' }),
      topic: null,
      causeId: null,
      signedAt: expect.any(String),
      ipAddress: '127.0.0.1',
      userAgent: 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
      secretId: expect.stringMatching(UUID),
      claimedBy: null,
      attemptLog: [
        {
          attempt: 1,
          outcome: 'processed',
          error: null,
          startedAt: expect.any(String),
          durationMs: expect.any(Number),
          worker: expect.stringMatching(/\d+$/),
        },
      ],
      conflictLog: [],
    });
  });

  it('fills every column that webhooks.md names', async () => {
    const event = stripeEvent('test.effect', { object: { id: 'pi_1' } });
    const id = await send(event, `/webhooks/${await newSource({ ordering: 'entity' })}`);
    await holdfast.eventIn('PROCESSED', id);
    const [row] = await holdfast.sql<Record<string, unknown>>('SELECT * FROM webhook_events WHERE id = $1', [id]);
    expect(row).toMatchObject({
      id,
      source: expect.any(String),
      idempotency_key: `${event.id}_test.effect`,
      event_id: event.id,
      event_type: 'test.effect',
      processed: true,
      processed_at: expect.any(Date),
      processing_time_ms: expect.any(Number),
      error_message: null,
      retry_count: 0,
      max_retries: 3,
      status: 'PROCESSED',
      raw_payload: event,
      payload_computed: true,
      payload_copy: null,
      raw_body: bytesOf(event),
      metadata: { headers: expect.any(Object) },
      payload_hash: createHash('sha256').update(bytesOf(event)).digest('hex'),
      ordering_key: 'pi_1',
      ip_address: '127.0.0.1',
      user_agent: expect.any(String),
      secret_id: expect.stringMatching(UUID),
      claim_id: null,
      claimed_by: null,
      claimed_at: null,
      created_at: expect.any(Date),
      updated_at: expect.any(Date),
    });
  });

  it('has the indexes that webhooks.md names, the one for due events partial', async () => {
    const rows = await holdfast.sql<{ indexdef: string }>(
      `SELECT indexdef FROM pg_indexes WHERE tablename = 'webhook_events'`,
    );
    const leading = rows.map(({ indexdef }) => /\((\w+)/.exec(indexdef)?.[1]);
    expect(leading).toEqual(
      expect.arrayContaining(['idempotency_key', 'event_id', 'event_type', 'status', 'created_at', 'next_attempt_at']),
    );
    expect(rows.map(({ indexdef }) => indexdef)).toContainEqual(
      expect.stringMatching(/\(next_attempt_at\) WHERE \(next_attempt_at IS NOT NULL\)/),
    );
  });

  it('without a handler is IGNORED and kept', async () => {
    const event = stripeEvent('nobody.listens');
    const id = await send(event);
    expect(await detailOf(id)).toMatchObject({
      status: 'IGNORED',
      attempts: 0,
      processedAt: null,
      nextAttemptAt: null,
      payload: event,
    });
  });

  it('of an inline source has run when its sender reads the answer', async () => {
    const path = `/webhooks/${await newSource({ processing: 'inline' })}`;
    const event = stripeEvent('test.effect');
    const answer = await holdfast.sender.stripe(event, { path });
    expect(answer).toMatchObject({ status: 200, body: { status: 'processed', eventId: event.id } });
    expect(await effectsOf(event)).toBe(1);
    expect((await holdfast.sender.stripe(event, { path })).body).toMatchObject({ status: 'already_processed' });
    expect(await effectsOf(event)).toBe(1);
    // No handler, nothing to wait for.
    const ignored = await holdfast.sender.stripe(stripeEvent('nobody.listens'), { path });
    expect(ignored).toMatchObject({ status: 200, body: { status: 'accepted' } });
  });

  it('of an inline source whose handler hangs is answered 504 and kept for another try', async () => {
    const path = `/webhooks/${await newSource({ processing: 'inline', maxRetries: 1 })}`;
    const event = stripeEvent('test.hang', { object: { failures: 1 } });
    const answer = await holdfast.sender.stripe(event, { path });
    expectProblem(answer, 504, 'WEBHOOK_TIMEOUT');
    const { body: page } = await holdfast.call('GET', '/api/webhook-events?type=test.hang');
    const [{ id } = { id: '' }] = page['data'] as { id: string }[];
    const detail = await holdfast.eventIn('PROCESSED', id);
    expect(detail).toMatchObject({
      attempts: 2,
      attemptLog: [{ outcome: 'timed_out', error: expect.stringContaining('1500 ms') }, { outcome: 'processed' }],
    });
    expect(await effectsOf(event)).toBe(1);
    expect((await holdfast.sender.stripe(event, { path })).body).toMatchObject({ status: 'already_processed', id });
  });

  it('that keeps failing is retried as often as its source says, then is a dead letter with every attempt on record', async () => {
    const event = stripeEvent('test.fails');
    const id = await send(event, `/webhooks/${await newSource({ maxRetries: 2 })}`);
    const detail = await holdfast.eventIn('DEAD_LETTER', id);
    expect(detail).toMatchObject({
      attempts: 3,
      retryCount: 2,
      maxRetries: 2,
      error: 'Error: failing as asked',
      nextAttemptAt: null,
      processedAt: null,
    });
    expect(detail['attemptLog']).toMatchObject(
      [1, 2, 3].map((attempt) => ({ attempt, outcome: 'failed', error: 'Error: failing as asked' })),
    );
    expect(await effectsOf(event)).toBe(0);
  });
});

describe('The same event again', () => {
  it('is answered already_processed and has no second effect', async () => {
    const event = stripeEvent('test.effect');
    const id = await send(event);
    await holdfast.eventIn('PROCESSED', id);
    for (const timestamp of [unixNow(), unixNow() - 100]) {
      expect(await holdfast.sender.stripe(event, { timestamp })).toMatchObject({
        status: 200,
        body: { received: true, status: 'already_processed', id, eventId: event.id },
      });
    }
    expect(await effectsOf(event)).toBe(1);
    expect(await detailOf(id)).toMatchObject({ attempts: 1, conflicts: 0, conflictLog: [] });
    const { body } = await holdfast.call('GET', `/api/audit?subject=webhook-event:${id}&action=webhook.duplicate`);
    expect(body['data']).toHaveLength(2);
  });

  it('is a duplicate whatever became of the first: waiting, ignored or dead', async () => {
    const [dead, ignored] = [stripeEvent('test.permanent'), stripeEvent('nobody.listens')];
    await holdfast.eventIn('DEAD_LETTER', await send(dead));
    await send(ignored);
    for (const event of [dead, ignored]) {
      expect((await holdfast.sender.stripe(event)).body).toMatchObject({ status: 'already_processed' });
    }
  });

  it('20 times at once is one row and one effect', async () => {
    const event = stripeEvent('test.effect');
    const answers = await Promise.all(Array.from({ length: 20 }, () => holdfast.sender.stripe(event)));
    const statuses = answers.map(({ body }) => String(body['status'])).toSorted();
    expect(statuses).toEqual(['accepted', ...Array<string>(19).fill('already_processed')]);
    expect(new Set(answers.map(({ body }) => body['id'])).size).toBe(1);
    await holdfast.eventIn('PROCESSED', answers[0]?.body['id']);
    expect(await effectsOf(event)).toBe(1);
  });

  it('as Stripe redelivers it, with another pending_webhooks, is a plain duplicate', async () => {
    const event = stripeEvent('test.effect', { pending_webhooks: 3, note: 'x' });
    const id = await send(event);
    const again = await holdfast.sender.stripe({ ...event, pending_webhooks: 0 });
    expect(again.body).toMatchObject({ status: 'already_processed', id });
    expect(await detailOf(id)).toMatchObject({ conflicts: 0, conflictLog: [], payload: { pending_webhooks: 3 } });
  });
});

describe('Another body under the same event id', () => {
  it('is kept as a conflict, never run, and told to the operator in every way', async () => {
    const event = stripeEvent('test.effect', { object: { value: 'first' } });
    const forged = { ...event, data: { object: { value: 'second' } } };
    const id = await send(event);
    await holdfast.eventIn('PROCESSED', id);
    const count = async () =>
      (await Scrape.of(holdfast.server)).value('holdfast_webhook_conflicts_total', { source: 'stripe' }) ?? 0;
    const before = await count();

    const answer = await holdfast.sender.stripe(forged, { headers: { 'X-Request-Id': 'conflict-request' } });
    expect(answer).toMatchObject({ status: 200, body: { status: 'already_processed', id, eventId: event.id } });

    const detail = await detailOf(id);
    expect(detail).toMatchObject({
      status: 'PROCESSED',
      attempts: 1,
      payload: event,
      conflicts: 1,
      conflictLog: [
        {
          id: expect.stringMatching(UUID),
          payloadHash: createHash('sha256').update(bytesOf(forged)).digest('hex'),
          bodyBase64: bytesOf(forged).toString('base64'),
          ipAddress: '127.0.0.1',
          receivedAt: expect.any(String),
        },
      ],
    });
    expect(await holdfast.sql('SELECT value FROM effects WHERE event_id = $1', [event.id])).toEqual([
      { value: 'first' },
    ]);
    const { body: audit } = await holdfast.call(
      'GET',
      `/api/audit?subject=webhook-event:${id}&action=webhook.conflict`,
    );
    expect(audit['data']).toMatchObject([{ actor: 'webhook:stripe', requestId: 'conflict-request' }]);
    expect(await count()).toBe(before + 1);
    await holdfast.logged({
      level: 'error',
      msg: expect.stringContaining('different body'),
      id,
      requestId: 'conflict-request',
    });
  });

  it('is kept once however often it comes, and each other body beside it', async () => {
    const event = stripeEvent();
    const id = await send(event);
    for (const note of ['a', 'b', 'a', 'b', 'a']) await send({ ...event, note });
    const detail = await detailOf(id);
    expect(detail['conflicts']).toBe(2);
    expect(detail['conflictLog']).toHaveLength(2);
    expect(detail['payload']).toEqual(event);
  });

  it('is a conflict under another type, too', async () => {
    const event = stripeEvent('nobody.listens');
    const id = await send(event);
    const answer = await holdfast.sender.stripe({ ...event, type: 'test.effect' });
    expect(answer.body).toMatchObject({ status: 'already_processed', id });
    expect(await detailOf(id)).toMatchObject({ eventType: 'nobody.listens', conflicts: 1 });
    expect(await effectsOf(event)).toBe(0);
  });
});

describe('The status of an event', () => {
  it('is read by its id on both routes', async () => {
    const event = stripeEvent('test.effect');
    const id = await send(event);
    const detail = await holdfast.eventIn('PROCESSED', id);
    const expected = {
      id,
      source: 'stripe',
      eventId: event.id,
      eventType: 'test.effect',
      status: 'PROCESSED',
      attempts: 1,
      receivedAt: detail['receivedAt'],
      processedAt: detail['processedAt'],
      processingTimeMs: detail['processingTimeMs'],
      error: null,
    };
    const general = await holdfast.call('GET', `/api/webhook-events/by-event-id/stripe/${event.id}`);
    const stripe = await holdfast.call('GET', `/api/stripe/webhook/status/${event.id}`);
    expect(general.body).toEqual(expected);
    expect(stripe.body).toEqual(expected);
  });

  it('is 404 for an id nobody sent, and for one of another source', async () => {
    const event = stripeEvent();
    await send(event, `/webhooks/${await newSource()}`);
    for (const path of [
      `/api/stripe/webhook/status/${newEventId()}`,
      `/api/stripe/webhook/status/${event.id}`,
      `/api/webhook-events/by-event-id/stripe/${event.id}`,
      `/api/webhook-events/by-event-id/nobody/${event.id}`,
      '/api/webhook-events/01890000-0000-7000-8000-000000000000',
      '/api/webhook-events/not-a-uuid',
      `/api/webhook-events/${event.id}`,
    ]) {
      expectProblem(await holdfast.call('GET', path), 404, 'NOT_FOUND');
    }
  });
});

describe('The list of events', () => {
  interface Page {
    data: { id: string; eventId: string; eventType: string; status: string; source: string; receivedAt: string }[];
    nextCursor: string | null;
  }
  const list = async (query: Record<string, string>): Promise<Page> => {
    const search = new URLSearchParams(query).toString();
    const { status, body } = await holdfast.call('GET', `/api/webhook-events?${search}`);
    expect({ status, body }).toMatchObject({ status: 200 });
    return body as unknown as Page;
  };

  it('walks all pages, newest first, each event once, also while more arrive', async () => {
    const source = await newSource();
    const events = Array.from({ length: 25 }, () => stripeEvent());
    for (const event of events) await send(event, `/webhooks/${source}`);
    const seen: string[] = [];
    let cursor: string | null = '';
    const sizes: number[] = [];
    do {
      const page: Page = await list({ source, limit: '10', ...(cursor && { cursor }) });
      sizes.push(page.data.length);
      seen.push(...page.data.map(({ eventId }) => eventId));
      cursor = page.nextCursor;
      await send(stripeEvent(), `/webhooks/${source}`);
    } while (cursor);
    expect(seen).toEqual(events.map(({ id }) => id).toReversed());
    expect(sizes).toEqual([10, 10, 5]);
  });

  it('has no next page after one that is exactly full', async () => {
    const source = await newSource();
    for (let sent = 0; sent < 3; sent += 1) await send(stripeEvent(), `/webhooks/${source}`);
    expect((await list({ source, limit: '3' })).nextCursor).toBeNull();
    expect((await list({ source, limit: '2' })).nextCursor).toEqual(expect.any(String));
    expect(await list({ source: 'nobody' })).toEqual({ data: [], nextCursor: null });
  });

  it('shows the summary of an event and not its payload', async () => {
    const source = await newSource();
    const event = stripeEvent();
    const id = await send(event, `/webhooks/${source}`);
    expect((await list({ source })).data).toEqual([
      {
        id,
        source,
        eventId: event.id,
        eventType: event.type,
        status: 'IGNORED',
        attempts: 0,
        retryCount: 0,
        maxRetries: 3,
        receivedAt: expect.any(String),
        processedAt: null,
        processingTimeMs: null,
        nextAttemptAt: null,
        conflicts: 0,
        error: null,
      },
    ]);
  });

  it('is narrowed by source, status, type and time, and by all together', async () => {
    const source = await newSource();
    const path = `/webhooks/${source}`;
    const ignored = await send(stripeEvent('nobody.listens'), path);
    const processed = await send(stripeEvent('test.effect'), path);
    const dead = await send(stripeEvent('test.permanent'), path);
    await Promise.all([holdfast.eventIn('PROCESSED', processed), holdfast.eventIn('DEAD_LETTER', dead)]);
    const ids = async (query: Record<string, string>) => (await list({ source, ...query })).data.map(({ id }) => id);
    const at = async (id: string) => String((await detailOf(id))['receivedAt']);

    expect(await ids({})).toEqual([dead, processed, ignored]);
    expect(await ids({ status: 'PROCESSED' })).toEqual([processed]);
    expect(await ids({ status: 'DEAD_LETTER' })).toEqual([dead]);
    expect(await ids({ type: 'nobody.listens' })).toEqual([ignored]);
    expect(await ids({ type: 'nobody' })).toEqual([]);
    expect(await ids({ from: await at(processed) })).toEqual([dead, processed]);
    expect(await ids({ to: await at(processed) })).toEqual([ignored]);
    expect(
      await ids({ from: await at(ignored), to: await at(dead), status: 'PROCESSED', type: 'test.effect' }),
    ).toEqual([processed]);
    expect(await ids({ from: '2999-01-01T00:00:00+02:00' })).toEqual([]);
  });

  it.each([
    'limit=0',
    'limit=201',
    'limit=ten',
    'limit=1.5',
    'status=DONE',
    'from=yesterday',
    'to=2026-02-30T00:00:00Z',
    'source=a&source=b',
    'surprise=1',
    'cursor=not-a-cursor',
    `cursor=${Buffer.from('{"id":"1"}').toString('base64url')}`,
    'type=a%00b',
  ])('refuses ?%s', async (query) => {
    expectProblem(await holdfast.call('GET', `/api/webhook-events?${query}`), 400, 'VALIDATION_FAILED');
  });
});
