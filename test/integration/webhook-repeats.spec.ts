import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/index.js';
import { newId } from '../../src/kernel/ids.js';
import { AuditLog } from '../../src/modules/audit/index.js';
import type { ReceivedWebhook } from '../../src/modules/webhooks/ingest/received-webhook.js';
import { WebhookEventWriter } from '../../src/modules/webhooks/ingest/webhook-event.writer.js';
import { createDataSource } from '../../src/platform/database/index.js';
import { Metrics } from '../../src/platform/metrics/index.js';
import { Transactor } from '../../src/platform/transaction/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { waitFor } from '../support/wait-for.js';

const HOUR = 3600;

let database: TestDatabase;
let writers: { writer: WebhookEventWriter; dataSource: DataSource }[];

beforeAll(async () => {
  database = await createTestDatabase();
  const config = loadConfig({ NODE_ENV: 'test', DATABASE_URL: database.url });
  const pool = { poolSize: 4, poolTimeoutMs: 5000, statementTimeoutMs: 60_000 };
  writers = await Promise.all(
    [1, 2].map(async () => {
      const dataSource = await createDataSource(database.url, { entities: [], migrations: [] }, pool).initialize();
      return {
        dataSource,
        writer: new WebhookEventWriter(config, new Transactor(dataSource, new Metrics()), new AuditLog()),
      };
    }),
  );
});

beforeEach(() => query('TRUNCATE webhook_events CASCADE'));

afterAll(async () => {
  await Promise.all(writers?.map(({ dataSource }) => dataSource.destroy()) ?? []);
  await database?.drop();
});

const query = <Row>(sql: string, parameters: unknown[] = []) => writers[0]!.dataSource.query<Row[]>(sql, parameters);

/** A state of a ticket, as Gorgias tells it: nothing but its content names it. */
const state = (content: string, fields: Partial<ReceivedWebhook> = {}): ReceivedWebhook => ({
  id: newId(),
  source: 'gorgias',
  provider: 'gorgias',
  eventId: `wh:${content}`,
  eventType: 'ticket-updated',
  rawBody: Buffer.from(`{"status":"${content}"}`),
  payloadStorage: 'computed',
  metadata: '{"headers":{}}',
  payloadHash: content,
  orderingKey: null,
  occurredAt: null,
  ip: null,
  userAgent: null,
  secretId: newId(),
  maxRetries: 3,
  requestId: 'webhook-repeats-spec',
  status: 'IGNORED',
  claimId: null,
  memorySeconds: HOUR,
  ...fields,
});

/** What GitHub sends for one event from one of its hooks. */
const delivery = (content: string, hook: string | undefined, eventId = 'guid') =>
  state(content, {
    source: 'github',
    provider: 'github',
    eventId,
    eventType: 'push',
    memorySeconds: undefined,
    metadata: JSON.stringify({ headers: hook === undefined ? {} : { 'x-github-hook-id': hook } }),
    sender: hook === undefined ? undefined : { header: 'x-github-hook-id', value: hook },
  });

async function store(...webhooks: ReceivedWebhook[]) {
  const outcomes = await writers[0]!.writer.store(webhooks, 'test');
  return outcomes.map((outcome) => ('result' in outcome ? outcome.result : outcome.error));
}

const age = (seconds: number) =>
  query(`UPDATE webhook_events SET created_at = created_at - $1 * interval '1 second'`, [seconds]);

const events = () =>
  query<{ id: string; event_id: string; idempotency_key: string }>(
    'SELECT id, event_id, idempotency_key FROM webhook_events ORDER BY id',
  );

const audited = async (id: string) => {
  const lines = await query<{ action: string }>('SELECT action FROM audit_log WHERE subject = $1 ORDER BY id', [
    `webhook-event:${id}`,
  ]);
  return lines.map(({ action }) => action);
};

describe('An event that only its content names', () => {
  it('is a resend for as long as its sender sends again, whatever came in between', async () => {
    const [open, closed, again] = [state('open'), state('closed'), state('open')];
    await store(open);
    await store(closed);
    await age(HOUR - 60);
    expect(await store(again)).toEqual([{ kind: 'duplicate', id: open.id, eventId: 'wh:open' }]);
    expect(await events()).toHaveLength(2);
  });

  it('is a new one after that, as often as it comes back, and the newest has the plain id', async () => {
    const came: ReceivedWebhook[] = [];
    for (const content of ['open', 'closed', 'open', 'closed', 'open']) {
      const webhook = state(content);
      came.push(webhook);
      expect(await store(webhook)).toMatchObject([{ kind: 'stored', id: webhook.id }]);
      expect(await audited(webhook.id)).toEqual(['webhook.received']);
      await age(HOUR + 60);
    }
    const [first, second, third, fourth, fifth] = came.map(({ id }) => id);
    expect(await events()).toEqual([
      { id: first, event_id: `wh:open:${first}`, idempotency_key: `wh:open:${first}_ticket-updated` },
      { id: second, event_id: `wh:closed:${second}`, idempotency_key: `wh:closed:${second}_ticket-updated` },
      { id: third, event_id: `wh:open:${third}`, idempotency_key: `wh:open:${third}_ticket-updated` },
      { id: fourth, event_id: 'wh:closed', idempotency_key: 'wh:closed_ticket-updated' },
      { id: fifth, event_id: 'wh:open', idempotency_key: 'wh:open_ticket-updated' },
    ]);
  });

  it('stays one event for good where its provider gives it an id', async () => {
    const first = state('open', { memorySeconds: undefined });
    await store(first);
    await age(400 * 24 * HOUR);
    const again = state('open', { memorySeconds: undefined });
    expect(await store(again)).toMatchObject([{ kind: 'duplicate', id: first.id }]);
  });

  it('is stored once when it comes back twenty times at once, over two processes and within one batch', async () => {
    for (let run = 0; run < 5; run++) {
      await query('TRUNCATE webhook_events CASCADE');
      const old = state('open');
      await store(old);
      await age(HOUR + 60);
      const batches = Array.from({ length: 10 }, () => [state('open'), state('open')]);
      const outcomes = await Promise.all(
        batches.map((batch, index) => writers[index % 2]!.writer.store(batch, 'test')),
      );
      const receptions = outcomes.flat().map((outcome) => ('result' in outcome ? outcome.result : outcome));
      const stored = receptions.filter((reception) => 'kind' in reception && reception.kind === 'stored');
      expect(stored).toHaveLength(1);
      const { id } = stored[0] as { id: string };
      expect(receptions.filter((reception) => reception !== stored[0])).toEqual(
        Array.from({ length: 19 }, () => ({ kind: 'duplicate', id, eventId: 'wh:open' })),
      );
      expect((await events()).map(({ event_id }) => event_id)).toEqual([`wh:open:${old.id}`, 'wh:open']);
    }
  });

  it('waits for a worker that holds the older one, without storing anything twice', async () => {
    const old = state('open');
    await store(old);
    await age(HOUR + 60);
    const release = await hold(old.id);
    const newcomer = state('open');
    const storing = store(newcomer);
    await waitFor(async () => {
      const waiting = await query(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      return waiting.length === 1;
    });
    await release();
    expect(await storing).toEqual([{ kind: 'stored', id: newcomer.id, eventId: 'wh:open' }]);
  });

  it('is left to the next try of its sender when the worker takes long, and nothing else is', async () => {
    const old = state('open');
    await store(old);
    await age(HOUR + 60);
    const release = await hold(old.id);
    const [recurrence, fresh, other] = [state('open'), state('fresh'), delivery('a', '1')];
    await store(other);
    const outcomes = await store(recurrence, fresh, delivery('a', '1'));
    expect(outcomes).toMatchObject([
      { status: 503, retryAfter: 1 },
      { kind: 'stored', id: fresh.id },
      { kind: 'duplicate', id: other.id },
    ]);
    await release();
    expect(await store(recurrence)).toMatchObject([{ kind: 'stored', id: recurrence.id }]);
    expect((await events()).map(({ event_id }) => event_id).toSorted()).toEqual(
      ['guid', 'wh:fresh', 'wh:open', `wh:open:${old.id}`].toSorted(),
    );
  });
});

describe('One id from several senders', () => {
  it('is an event of each whose body differs, in whatever order and however often they come', async () => {
    const [repository, app] = [delivery('repository', '11'), delivery('app', '22')];
    expect(await store(repository, app)).toMatchObject([
      { kind: 'stored', id: repository.id },
      { kind: 'stored', id: app.id, eventId: 'guid:22' },
    ]);
    expect(await store(delivery('app', '22'), delivery('repository', '11'))).toEqual([
      { kind: 'duplicate', id: app.id, eventId: 'guid:22' },
      { kind: 'duplicate', id: repository.id, eventId: 'guid' },
    ]);
    expect((await events()).map(({ idempotency_key }) => idempotency_key)).toEqual(['guid_push', 'guid:22_push']);
    expect(await query('SELECT FROM webhook_event_conflicts')).toEqual([]);
  });

  it('is one event where they send the same', async () => {
    const repository = delivery('same', '11');
    await store(repository);
    expect(await store(delivery('same', '33'))).toEqual([{ kind: 'duplicate', id: repository.id, eventId: 'guid' }]);
  });

  it('is a conflict where the same sender sends something else, or one that does not say who it is', async () => {
    const [repository, app] = [delivery('repository', '11'), delivery('app', '22')];
    await store(repository, app);
    expect(await store(delivery('else', '11'), delivery('else', '22'), delivery('more', undefined))).toEqual([
      { kind: 'conflict', id: repository.id, eventId: 'guid' },
      { kind: 'conflict', id: app.id, eventId: 'guid:22' },
      { kind: 'conflict', id: repository.id, eventId: 'guid' },
    ]);
    expect(await events()).toHaveLength(2);
    expect(await query('SELECT FROM webhook_event_conflicts')).toHaveLength(3);
  });

  it('is stored once for each of them when all of them come at once over two processes', async () => {
    const batches = Array.from({ length: 10 }, () => ['11', '22', '33'].map((hook) => delivery(`of ${hook}`, hook)));
    const outcomes = await Promise.all(batches.map((batch, index) => writers[index % 2]!.writer.store(batch, 'test')));
    const kinds = outcomes.flat().map((outcome) => ('result' in outcome ? outcome.result.kind : outcome));
    expect(kinds.filter((kind) => kind === 'stored')).toHaveLength(3);
    expect(kinds.filter((kind) => kind === 'duplicate')).toHaveLength(27);
    expect(await events()).toHaveLength(3);
  });
});

describe('Events whose ids and types together read the same', () => {
  it('are all stored, each under a key of its own, and each known when it is sent again', async () => {
    const named = (eventId: string, eventType: string) =>
      state('x', { source: 'stripe', provider: 'stripe', eventId, eventType, memorySeconds: undefined });
    const [one, other, third] = [named('a', 'b_c_d'), named('a_b', 'c_d'), named('a_b_c', 'd')];
    expect(await store(one, other)).toMatchObject([
      { kind: 'stored', id: one.id },
      { kind: 'stored', id: other.id },
    ]);
    expect(await store(third)).toMatchObject([{ kind: 'stored', id: third.id, eventId: 'a_b_c' }]);
    expect(await events()).toEqual([
      { id: one.id, event_id: 'a', idempotency_key: 'a_b_c_d' },
      { id: other.id, event_id: 'a_b', idempotency_key: `a_b_c_d:${other.id}` },
      { id: third.id, event_id: 'a_b_c', idempotency_key: `a_b_c_d:${third.id}` },
    ]);
    expect(await store(named('a_b', 'c_d'), named('a', 'b_c_d'))).toMatchObject([
      { kind: 'duplicate', id: other.id },
      { kind: 'duplicate', id: one.id },
    ]);
  });

  it('cannot be two of one key in the database', async () => {
    await store(state('x'));
    const copy = `INSERT INTO webhook_events (id, source, provider, idempotency_key, event_id, event_type, status, raw_body, metadata, payload_hash)
      SELECT gen_random_uuid(), source, provider, idempotency_key, 'another', event_type, status, raw_body, metadata, payload_hash FROM webhook_events`;
    await expect(query(copy)).rejects.toThrow('webhook_events_idempotency_key_source_key');
  });
});

/** As a worker does while its handlers run. @returns what ends it */
async function hold(id: string): Promise<() => Promise<void>> {
  const runner = writers[1]!.dataSource.createQueryRunner();
  await runner.startTransaction();
  await runner.query('SELECT FROM webhook_events WHERE id = $1 FOR NO KEY UPDATE', [id]);
  return async () => {
    await runner.commitTransaction();
    await runner.release();
  };
}
