import { beforeAll, describe, expect, it } from '@jest/globals';
import { EFFECT_SCHEMA } from '../support/effect-schema.js';
import { expectProblem } from '../support/http-answer.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { bytesOf, newEventId, stripeEvent, type WebhookBody } from '../support/webhook-sender.js';

const holdfast = serverUnderTest({ entry: 'test/support/effect-server.ts' });

beforeAll(() => holdfast.sql(EFFECT_SCHEMA));

const detailOf = async (id: unknown) => (await holdfast.call('GET', `/api/webhook-events/${String(id)}`)).body;

/** Sends with a good signature, expects it to be kept, and gives its detail. */
async function kept(body: WebhookBody, headers: Record<string, string> = {}): Promise<Record<string, unknown>> {
  const answer = await holdfast.sender.stripe(body, { headers });
  expect({ status: answer.status, body: answer.body }).toMatchObject({ status: 200, body: { status: 'accepted' } });
  const detail = await detailOf(answer.body['id']);
  expect(Buffer.from(String(detail['bodyBase64']), 'base64').equals(bytesOf(body))).toBe(true);
  return detail;
}

async function countOfEvents(): Promise<number> {
  const [row] = await holdfast.sql<{ count: number }>('SELECT count(*)::integer AS count FROM webhook_events');
  return row?.count ?? -1;
}

describe('A body that is signed and no JSON object', () => {
  it.each<[string, WebhookBody]>([
    ['empty', ''],
    ['white space', ' \n'],
    ['cut off', '{"id":"evt_1","type":"x"'],
    ['JSON and something after it', '{"id":"evt_1","type":"x"}}'],
    ['single quoted', "{'id':'evt_1'}"],
    ['an array', '[{"id":"evt_1","type":"x"}]'],
    ['a text', '"evt_1"'],
    ['a number', '7'],
    ['null', 'null'],
    [
      'invalid UTF-8',
      Buffer.concat([Buffer.from('{"id":"evt_1","type":"'), Buffer.from([0xc3, 0x28]), Buffer.from('"}')]),
    ],
    ['UTF-16', Buffer.from('{"id":"evt_1","type":"x"}', 'utf16le')],
    [
      'half a surrogate pair as bytes',
      Buffer.concat([Buffer.from('{"id":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]),
    ],
    ['deeper than any parser likes', `{"id":"evt_1","n":12345678901234567890,"a":${'['.repeat(100_000)}`],
  ])('is answered 400 and not kept: %s', async (_, body) => {
    const before = await countOfEvents();
    expectProblem(await holdfast.sender.stripe(body), 400, 'WEBHOOK_PAYLOAD_INVALID');
    expect(await countOfEvents()).toBe(before);
  });
});

describe('An event that cannot be told from others', () => {
  it.each<[string, string, string]>([
    ['has no id', '{"type":"x"}', 'id'],
    ['has null for its id', '{"id":null,"type":"x"}', 'id'],
    ['has an empty id', '{"id":"","type":"x"}', 'id'],
    ['has a blank id', '{"id":"  ","type":"x"}', 'id'],
    ['has an object for its id', '{"id":{"a":1},"type":"x"}', 'id'],
    ['has a list for its id', '{"id":["evt_1"],"type":"x"}', 'id'],
    ['has a fraction for its id', '{"id":1.5,"type":"x"}', 'id'],
    ['has a truth value for its id', '{"id":true,"type":"x"}', 'id'],
    ['has an id of 256 characters', `{"id":"${'e'.repeat(256)}","type":"x"}`, 'id'],
    ['has an id of 10 kB', `{"id":"${'e'.repeat(10_240)}","type":"x"}`, 'id'],
    ['has NUL in its id', '{"id":"evt_\\u0000","type":"x"}', 'id'],
    ['has a line break in its id', '{"id":"evt_\\n1","type":"x"}', 'id'],
    ['has half a surrogate pair in its id', '{"id":"evt_\\ud800","type":"x"}', 'id'],
    ['inherits its id', '{"__proto__":{"id":"evt_1"},"type":"x"}', 'id'],
    ['has no type', '{"id":"evt_1"}', 'type'],
    ['has an empty type', '{"id":"evt_1","type":""}', 'type'],
    ['has NUL in its type', '{"id":"evt_1","type":"a\\u0000"}', 'type'],
    ['has a type of 10 kB', `{"id":"evt_1","type":"${'t'.repeat(10_240)}"}`, 'type'],
  ])('is answered 400 and not kept: it %s', async (_, body, part) => {
    const before = await countOfEvents();
    const answer = await holdfast.sender.stripe(body);
    expectProblem(answer, 400, 'WEBHOOK_EVENT_ID_INVALID');
    expect(answer.body['details']).toEqual({ part });
    expect(answer.text.length).toBeLessThan(1000);
    expect(await countOfEvents()).toBe(before);
  });

  it('is kept when its id is as long as an id may be, and found by it', async () => {
    const id = 'é'.repeat(255);
    const { status, eventId } = await kept({ ...stripeEvent(), id });
    expect({ status, eventId }).toEqual({ status: 'IGNORED', eventId: id });
    const found = await holdfast.call('GET', `/api/webhook-events/by-event-id/stripe/${encodeURIComponent(id)}`);
    expect(found).toMatchObject({ status: 200, body: { eventId: id } });
  });

  it('is kept when its id has every awkward character an URL knows, and found by it', async () => {
    const id = `a/b?c=d&e#f%2F%25 g+h"\\<ä>😀${newEventId()}`;
    await kept({ ...stripeEvent(), id });
    const found = await holdfast.call('GET', `/api/webhook-events/by-event-id/stripe/${encodeURIComponent(id)}`);
    expect(found).toMatchObject({ status: 200, body: { eventId: id } });
  });

  it('is kept when its id is a whole number, of any size', async () => {
    const { eventId } = await kept('{"id":123456789012345678901234567890,"type":"x"}');
    expect(eventId).toBe('123456789012345678901234567890');
  });
});

describe('A payload that jsonb would refuse', () => {
  it.each([
    ['NUL', '\\u0000'],
    ['NUL between letters', 'a\\u0000b'],
    ['the first half of a surrogate pair', '\\ud800'],
    ['the second half of a surrogate pair', 'x\\udc00y'],
    ['the halves the wrong way round', '\\udc00\\ud800'],
  ])('is kept, listed and shown: %s', async (_, text) => {
    const event = stripeEvent();
    const body = JSON.stringify({ ...event, note: '@' }).replace('@', text);
    const detail = await kept(body);
    expect(detail['payload']).toEqual(JSON.parse(body));
    const { body: page } = await holdfast.call('GET', '/api/webhook-events?limit=1');
    expect(page['data']).toMatchObject([{ id: detail['id'], eventId: event.id, status: 'IGNORED' }]);
    const [row] = await holdfast.sql<{ raw_payload: unknown }>('SELECT raw_payload FROM webhook_events WHERE id = $1', [
      detail['id'],
    ]);
    expect(row?.raw_payload).toBeNull();
  });

  it('is kept when a number in it is too long for PostgreSQL', async () => {
    const event = JSON.stringify(stripeEvent()).slice(0, -1);
    await kept(`${event},"number":1e999999}`);
    await kept(`${JSON.stringify(stripeEvent()).slice(0, -1)},"number":${'9'.repeat(5000)}}`);
  });

  it('does not cost the events their storing that arrive in the same moment', async () => {
    const events = Array.from({ length: 40 }, (_, index) => {
      const text = JSON.stringify({ ...stripeEvent(), note: '@' });
      return index % 4 === 0 ? text.replace('@', '\\u0000') : text;
    });
    const answers = await Promise.all(events.map((event) => holdfast.sender.stripe(event)));
    expect(answers.map(({ status, body }) => [status, body['status']])).toEqual(events.map(() => [200, 'accepted']));
  });

  it('reaches its handler whole', async () => {
    const event = stripeEvent('test.effect', { object: { value: 'ok' }, note: '@' });
    const detail = await kept(JSON.stringify(event).replace('@', '\\u0000'));
    await holdfast.eventIn('PROCESSED', detail['id']);
    expect(await holdfast.sql('SELECT value FROM effects WHERE event_id = $1', [event.id])).toEqual([{ value: 'ok' }]);
  });
});

describe('The column raw_payload', () => {
  it.each<[string, string, { payload_computed: boolean; copied: boolean }]>([
    ['ASCII', String.raw`\\\"\/\n\u00e9\ud83d\ude00 \\u0000`, { payload_computed: true, copied: false }],
    ['other characters', 'Zoë 😀 \u2028\ufeff', { payload_computed: false, copied: true }],
  ])('says what the body says, for a body of %s', async (_, text, stored) => {
    const body = JSON.stringify({ ...stripeEvent(), note: '@' }).replace('@', () => text);
    const { id } = await kept(body);
    expect(
      await holdfast.sql(
        `SELECT raw_payload, raw_payload = $2::jsonb AS exact, payload_computed, payload_copy IS NOT NULL AS copied
         FROM webhook_events WHERE id = $1`,
        [id, body],
      ),
    ).toEqual([{ raw_payload: JSON.parse(body), exact: true, ...stored }]);
  });

  it('stands in the way of no query, whatever came in', async () => {
    await kept(JSON.stringify({ ...stripeEvent(), note: '@' }).replace('@', '\\u0000'));
    await kept(`{"id":"${newEventId()}","type":"x","number":1e999999}`);
    await kept(`{"id":"${newEventId()}","type":"x","number":1e999,"deep":${'['.repeat(499)}${']'.repeat(499)}}`);
    const rows = await holdfast.sql('SELECT * FROM webhook_events');
    expect(rows).toHaveLength(await countOfEvents());
  });
});

describe('Nesting', () => {
  const nested = (levels: number, inner = '', id = newEventId()) =>
    `{"id":"${id}","type":"test.effect","data":${'['.repeat(levels - 1)}${inner}${']'.repeat(levels - 1)}}`;
  const INNER = ['', '9007199254740993', '"9007199254740993"', '"\\u0000"', '1e999', '"é"'];

  it.each(INNER)('of 500 levels around %s is kept, handled and shown whole', async (inner) => {
    const body = nested(500, inner);
    const answer = await holdfast.sender.stripe(body);
    expect(answer).toMatchObject({ status: 200 });
    await holdfast.eventIn('PROCESSED', answer.body['id']);
    const shown = await holdfast.call('GET', `/api/webhook-events/${String(answer.body['id'])}`);
    expect(shown.text).toContain(`"payload":${inner === '1e999' ? body.replace(inner, 'null') : body},`);
  });

  it.each(INNER)('of one more around %s is refused by the one limit there is', async (inner) => {
    for (const levels of [501, 5000]) {
      const answer = await holdfast.sender.stripe(nested(levels, inner));
      expectProblem(answer, 400, 'WEBHOOK_PAYLOAD_INVALID');
      expect(answer.body['detail']).toContain('nested deeper than 500 levels');
    }
  });

  it('that an earlier version took in is still handled, and shown by its bytes', async () => {
    const body = nested(5000);
    const [row] = await holdfast.sql<{ id: string }>(
      `INSERT INTO webhook_events (
         id, source, provider, idempotency_key, event_id, event_type, status, raw_body, metadata, payload_hash,
         next_attempt_at
       )
       VALUES (
         gen_random_uuid(), 'stripe', 'stripe', 'deep', 'deep', 'test.effect', 'PENDING', $1, '{"headers":{}}', '', now()
       )
       RETURNING id`,
      [Buffer.from(body)],
    );
    const detail = await holdfast.eventIn('PROCESSED', row?.id);
    expect(detail).toMatchObject({ payload: null, bodyBase64: Buffer.from(body).toString('base64') });
  });
});

describe('Unusual JSON', () => {
  it('keeps the last of two equal keys, in the answer and in jsonb alike', async () => {
    const id = newEventId();
    const detail = await kept(`{"id":"evt_first","amount":1,"type":"x","amount":2,"id":"${id}"}`);
    expect(detail).toMatchObject({ eventId: id, payload: { id, amount: 2 } });
    const [row] = await holdfast.sql<{ amount: string }>(
      `SELECT raw_payload ->> 'amount' AS amount FROM webhook_events WHERE event_id = $1`,
      [id],
    );
    expect(row?.amount).toBe('2');
  });

  it.each(['1', '12345678901234567890'])(
    'keeps "__proto__" as the plain key it is, beside the number %s',
    async (n) => {
      const id = newEventId();
      const answer = await holdfast.sender.stripe(
        `{"id":"${id}","type":"x","n":${n},"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}`,
      );
      expect(answer.status).toBe(200);
      const { text } = await holdfast.call('GET', `/api/webhook-events/${String(answer.body['id'])}`);
      expect(text).toContain(`"n":${n},"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}`);
    },
  );

  it('keeps amounts beyond 2^53 exact: in the table, in the answer and for the handler', async () => {
    const id = newEventId();
    const amount = '9007199254740993';
    const answer = await holdfast.sender.stripe(
      `{"id":"${id}","type":"test.effect","data":{"object":{"value":${amount},"negative":-${amount}0000,"rate":0.1}}}`,
    );
    expect(answer.status).toBe(200);
    await holdfast.eventIn('PROCESSED', answer.body['id']);
    const { text } = await holdfast.call('GET', `/api/webhook-events/${String(answer.body['id'])}`);
    expect(text).toContain(`{"value":${amount},"negative":-${amount}0000,"rate":0.1}`);
    expect(
      await holdfast.sql(
        `SELECT raw_payload #>> '{data,object,value}' AS stored, effects.value AS handled
         FROM webhook_events JOIN effects USING (event_id) WHERE event_id = $1`,
        [id],
      ),
    ).toEqual([{ stored: amount, handled: amount }]);
  });

  it('does not pass over a byte order mark, which JSON text must not begin with', async () => {
    const body = `\ufeff${JSON.stringify(stripeEvent())}`;
    expectProblem(await holdfast.sender.stripe(body), 400, 'WEBHOOK_PAYLOAD_INVALID');
  });
});

describe('The content type', () => {
  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'APPLICATION/JSON',
    'application/cloudevents+json',
    'text/json',
  ])('may be %s', async (contentType) => {
    await kept(stripeEvent(), { 'content-type': contentType });
  });

  it.each(['text/plain', 'application/xml', 'multipart/form-data; boundary=x', 'application/octet-stream'])(
    'may not be %s, even with a good signature',
    async (contentType) => {
      const answer = await holdfast.sender.stripe(stripeEvent(), { headers: { 'content-type': contentType } });
      expectProblem(answer, 415, 'UNSUPPORTED_MEDIA_TYPE');
    },
  );

  const FORM = 'application/x-www-form-urlencoded';
  const form = (value: object) => new URLSearchParams({ payload: JSON.stringify(value) }).toString();

  it('may be a form for GitHub, whose JSON is then in the field "payload"', async () => {
    const payload = { zen: 'Keep it logically awesome & simple + 100% äö', hook_id: 7 };
    const answer = await holdfast.sender.send('github', form(payload), {
      type: 'star',
      headers: { 'content-type': FORM },
    });
    expect(answer).toMatchObject({ status: 200, body: { status: 'accepted' } });
    expect(await detailOf(answer.body['id'])).toMatchObject({
      eventType: 'star',
      payload,
      bodyBase64: Buffer.from(form(payload)).toString('base64'),
    });
    expect(await holdfast.sql('SELECT raw_payload FROM webhook_events WHERE id = $1', [answer.body['id']])).toEqual([
      { raw_payload: null },
    ]);
  });

  it('may not be a form without that field', async () => {
    const answer = await holdfast.sender.send('github', 'other=1', { headers: { 'content-type': FORM } });
    expectProblem(answer, 400, 'WEBHOOK_PAYLOAD_INVALID');
  });

  it.each(['stripe', 'paystack', 'gorgias', 'shopify', 'standard', 'hmac'] as const)(
    'may not be a form for %s, even with a good signature',
    async (provider) => {
      const answer = await holdfast.sender.send(provider, form(stripeEvent()), { headers: { 'content-type': FORM } });
      expectProblem(answer, 415, 'UNSUPPORTED_MEDIA_TYPE');
    },
  );
});
