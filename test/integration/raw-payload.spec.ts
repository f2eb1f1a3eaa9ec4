import * as fc from 'fast-check';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/index.js';
import { isJsonObject, parseExactJson } from '../../src/kernel/exact-json.js';
import { newId } from '../../src/kernel/ids.js';
import { AuditLog } from '../../src/modules/audit/index.js';
import { type PayloadStorage, payloadStorage } from '../../src/modules/webhooks/events/payload-storage.js';
import { webhookJson } from '../../src/modules/webhooks/events/webhook-body.js';
import type { ReceivedWebhook } from '../../src/modules/webhooks/ingest/received-webhook.js';
import { WebhookEventWriter } from '../../src/modules/webhooks/ingest/webhook-event.writer.js';
import { createDataSource } from '../../src/platform/database/index.js';
import { Metrics } from '../../src/platform/metrics/index.js';
import { Transactor } from '../../src/platform/transaction/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

let database: TestDatabase;
let dataSource: DataSource;
let writer: WebhookEventWriter;

beforeAll(async () => {
  database = await createTestDatabase();
  const pool = { poolSize: 2, poolTimeoutMs: 5000, statementTimeoutMs: 60_000 };
  dataSource = await createDataSource(database.url, { entities: [], migrations: [] }, pool).initialize();
  const config = loadConfig({ NODE_ENV: 'test', DATABASE_URL: database.url });
  writer = new WebhookEventWriter(config, new Transactor(dataSource, new Metrics()), new AuditLog());
});

beforeEach(() => dataSource.query('DELETE FROM webhook_events'));

afterAll(async () => {
  await dataSource?.destroy();
  await database?.drop();
});

interface Body {
  bytes: Buffer;
  /** As our own code reads the bytes. */
  json: string;
  form: PayloadStorage;
}

/** Undefined for what is answered 400. */
function read(bytes: Buffer): Body | undefined {
  try {
    const json = webhookJson(bytes, undefined);
    return isJsonObject(parseExactJson(json))
      ? { bytes, json, form: payloadStorage(bytes, json, undefined) }
      : undefined;
  } catch {
    return undefined;
  }
}

/** Stores the bodies as the server does, and expects that each can be read and says what PostgreSQL makes of its text. */
async function expectReadable(bodies: readonly Body[]): Promise<void> {
  const webhooks = bodies.map(webhook);
  const outcomes = await writer.store(webhooks, 'test');
  expect(outcomes).toEqual(webhooks.map(({ id }) => ({ result: { kind: 'stored', id } })));
  const wrong = await dataSource.query(
    `SELECT e.*, t.json
     FROM unnest($1::uuid[], $2::text[]) AS t (id, json)
     LEFT JOIN webhook_events e USING (id)
     WHERE e.id IS NULL OR e.raw_payload IS DISTINCT FROM t.json::jsonb`,
    [webhooks.map(({ id }) => id), bodies.map(({ json, form }) => (form === 'none' ? null : json))],
  );
  expect(wrong).toEqual([]);
}

function webhook({ bytes, form }: Body): ReceivedWebhook {
  const id = newId();
  return {
    id,
    source: 'stripe',
    provider: 'stripe',
    eventId: id,
    eventType: 'test.event',
    rawBody: bytes,
    payloadStorage: form,
    metadata: '{"headers":{}}',
    payloadHash: 'f'.repeat(64),
    orderingKey: null,
    occurredAt: null,
    ip: null,
    userAgent: null,
    secretId: newId(),
    maxRetries: 3,
    requestId: 'raw-payload-spec',
    status: 'IGNORED',
    claimId: null,
  };
}

const digits = fc
  .tuple(fc.constantFrom('1', '7', '9', '12345678901234567890'), fc.constantFrom(1, 15, 16, 50, 499, 999, 1000, 1001))
  .map(([run, length]) => run.repeat(length).slice(0, length));
const exponent = fc.constantFrom('', 'e1', 'E+22', 'e-7', 'e999', 'e-999', 'E+0000999', 'e1000', 'e-1000', 'e999999');
const number = fc
  .tuple(fc.constantFrom('', '-'), fc.oneof(fc.constant('0'), digits), fc.oneof(fc.constant(''), digits), exponent)
  .map(([sign, whole, fraction, power]) => `${sign}${whole}${fraction && `.${fraction}`}${power}`);

const escape = fc.constantFrom('\\u0000', '\\u0001', '\\u00e9', '\\u20AC', '\\ud83d\\ude00', '\\uD83D', '\\udc00', '\\\\', '\\"', '\\/', '\\n', '\\b', '\\u005c', '\\\\u0000', '\\\\\\u0000', '\\ufeff', '\\uffff'); // prettier-ignore
const raw = fc.oneof(
  fc.string({ unit: 'grapheme-ascii', maxLength: 12 }).map((text) => text.replace(/["\\]/g, '')),
  fc.string({ unit: 'binary', maxLength: 4 }).map((text) => JSON.stringify(text).slice(1, -1)),
  fc.constantFrom('\u007f', 'é', '😀', '\ufeff', '\u2028', '\uffff', '\ud800', 'k'.repeat(5000)),
);
const string = fc.array(fc.oneof(raw, raw, escape), { maxLength: 5 }).map((parts) => `"${parts.join('')}"`);

const space = fc.constantFrom('', '', ' ', '\n\t\r ');
const { value } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('null', 'true', 'false', '-0', '{}', '[]'),
    number,
    string,
    fc.array(tie('value'), { maxLength: 4 }).map((items) => `[${items.join(',')}]`),
    fc.array(fc.tuple(string, space, tie('value')), { maxLength: 4 }).map((members) => {
      return `{${members.map(([key, gap, member]) => `${gap}${key}${gap}:${member}${gap}`).join(',')}}`;
    }),
  ),
}));

/** At the brim of what `isStorableAsJsonb` lets pass, and beyond. */
const nested = fc
  .tuple(
    fc.constantFrom(0, 0, 0, 0, 3, 497, 498, 499, 500),
    fc.constantFrom(['[', ']'], ['{"é":', '}'], ['[{"a":', '}]']),
    value,
  )
  .map(([levels, [open = '', close = ''], inner]) => open.repeat(levels) + inner + close.repeat(levels));

describe('raw_payload', () => {
  it('is for every JSON text what PostgreSQL reads in it, or NULL where that is refused', async () => {
    const seen = new Set<PayloadStorage>();
    const objects = fc.array(
      nested.map((text) => read(Buffer.from(`{"v":${text}}`))),
      { minLength: 20, maxLength: 20 },
    );
    await fc.assert(
      fc.asyncProperty(objects, async (bodies) => {
        const accepted = bodies.filter((body) => body !== undefined);
        for (const { form } of accepted) seen.add(form);
        await expectReadable(accepted);
      }),
      { numRuns: 200 },
    );
    expect([...seen].toSorted()).toEqual(['computed', 'copied', 'none']);
  }, 60_000);

  it('is readable for every sequence of bytes that is accepted', async () => {
    const valid = [
      [0xc3, 0xa4],
      [0xf0, 0x9f, 0x98, 0x80],
      [0xef, 0xbf, 0xbf],
      [0xef, 0xbb, 0xbf],
      [0xf4, 0x8f, 0xbf, 0xbf],
    ];
    const cutOffOrAlone = [[0xc3, 0x28], [0x80], [0xff], [0xfe, 0xff]];
    const overlong = [
      [0xc0, 0xaf],
      [0xe0, 0x80, 0xaf],
      [0xf0, 0x80, 0x80, 0xaf],
    ];
    const surrogates = [
      [0xed, 0xa0, 0x80],
      [0xed, 0xb0, 0x80],
      [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80],
    ];
    const beyondUnicode = [[0xf4, 0x90, 0x80, 0x80]];
    const ascii = [[0x00], [0x1f], [0x7f], [0x5c, 0x5c], [0x61]];
    const piece = fc.constantFrom(...valid, ...cutOffOrAlone, ...overlong, ...surrogates, ...beyondUnicode, ...ascii);
    const bytes = fc
      .tuple(fc.constantFrom('', '', '\ufeff', ' '), fc.array(piece, { maxLength: 3 }))
      .map(([lead, parts]) =>
        Buffer.concat([Buffer.from(`${lead}{"v":"`), Buffer.from(parts.flat()), Buffer.from('"}')]),
      );
    let [accepted, refused] = [0, 0];
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { minLength: 40, maxLength: 40 }), async (bodies) => {
        const readable = bodies.map(read).filter((body) => body !== undefined);
        accepted += readable.length;
        refused += bodies.length - readable.length;
        await expectReadable(readable);
      }),
      { numRuns: 50 },
    );
    expect(accepted).toBeGreaterThan(100);
    expect(refused).toBeGreaterThan(100);
  }, 60_000);

  it.each([
    ['bytes that are no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d])],
    ['a byte order mark', Buffer.from('\ufeff{"a":1}')],
  ])('does not take %s: such a body is answered 400', (_, bytes) => {
    expect(read(bytes)).toBeUndefined();
  });

  it('is made for the longest list jsonb may be asked for', async () => {
    const list = `{"v": [${'1,'.repeat(8 * 1024 * 1024 - 5)}1]}`;
    const body = read(Buffer.from(list));
    expect({ form: body?.form, length: list.length }).toEqual({ form: 'computed', length: 16 * 1024 * 1024 });
    await writer.store(body ? [webhook(body)] : [], 'test');
    expect(
      await dataSource.query(`SELECT jsonb_array_length(raw_payload -> 'v') AS length FROM webhook_events`),
    ).toEqual([{ length: 8 * 1024 * 1024 - 4 }]);
  }, 60_000);
});
