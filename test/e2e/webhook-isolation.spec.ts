import { randomUUID } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { effectEvent } from '../support/effect-event.js';
import { EFFECT_SCHEMA } from '../support/effect-schema.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { SECRETS } from '../support/signing.js';
import { type StripeEvent, stripeEvent } from '../support/webhook-sender.js';
import { beforeAll } from '@jest/globals';

const holdfast = serverUnderTest({
  env: { DB_POOL_SIZE: '6', WEBHOOK_PROCESSING_TIMEOUT_MS: '3000', WEBHOOK_RETRY_BASE_MS: '60000' },
  entry: 'test/support/effect-server.ts',
});

beforeAll(async () => {
  await holdfast.sql(EFFECT_SCHEMA);
});

async function newSource(settings: Record<string, unknown> = {}): Promise<string> {
  const name = `isolated-${randomUUID().slice(0, 8)}`;
  const source = { name, provider: 'stripe', secret: SECRETS.stripe, ...settings };
  expect((await holdfast.call('POST', '/api/webhook-sources', source)).status).toBe(201);
  return name;
}

const send = (event: StripeEvent, source = 'stripe') => holdfast.sender.stripe(event, { path: `/webhooks/${source}` });

async function missing(ids: unknown[]): Promise<unknown[]> {
  const rows = await holdfast.sql<{ id: string }>('SELECT id FROM webhook_events WHERE id = ANY ($1::uuid[])', [ids]);
  return ids.filter((id) => !rows.some((row) => row.id === id));
}

describe('one event and its neighbours', () => {
  it('are told apart by id and type, also where the two together read the same', async () => {
    const source = await newSource();
    const [one, other] = [
      { ...stripeEvent('1_effect'), id: 'evt_ord' },
      { ...stripeEvent('effect'), id: 'evt_ord_1' },
    ];
    const answers = [await send(one, source), await send(other, source)];
    expect(answers.map(({ status, body }) => [status, body['status']])).toEqual([
      [200, 'accepted'],
      [200, 'accepted'],
    ]);
  });

  it('whose body conflicts does not wait for the handler that runs the first, nor do others', async () => {
    const first = effectEvent('test.effect', { ms: 1200 });
    const answer = await send(first);
    await holdfast.eventIn('PROCESSING', answer.body['id']);
    const started = performance.now();
    const rest = await Promise.all([
      send({ ...first, livemode: true }),
      send({ ...first, livemode: 'again' }),
      send(effectEvent('test.effect')),
    ]);
    expect(rest.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(performance.now() - started).toBeLessThan(900);
    expect(await holdfast.eventIn('PROCESSED', answer.body['id'])).toMatchObject({ conflicts: 2, attempts: 1 });
  });
});

describe('a handler that gives up inside a savepoint', () => {
  it('leaves no open transaction behind for others to lose their events in', async () => {
    const source = await newSource({ processing: 'inline' });
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, n) =>
        n % 2 === 0 ? send(effectEvent('test.savepoint_hang'), source) : send(effectEvent('test.effect'), source),
      ),
    );
    const gaveUp = answers.filter(({ status }) => status === 504);
    expect(gaveUp.length).toBeGreaterThan(0);
    for (const event of await holdfast.sql<{ id: string }>(
      `SELECT id FROM webhook_events WHERE event_type = 'test.savepoint_hang'`,
    )) {
      const { attemptLog } = await holdfast.eventIn('FAILED', event.id);
      expect(attemptLog).toMatchObject([{ outcome: 'timed_out' }]);
    }
    const late = await Promise.all(Array.from({ length: 20 }, () => send(effectEvent('test.effect'), source)));
    const accepted = [...answers, ...late].filter(({ status }) => status === 200).map(({ body }) => body['id']);
    expect(accepted.length).toBeGreaterThanOrEqual(20);
    expect(await missing(accepted)).toEqual([]);
    const open = await holdfast.sql(
      `SELECT 1 FROM pg_stat_activity
       WHERE datname = current_database() AND state LIKE 'idle in transaction%' AND now() - xact_start > interval '5 s'`,
    );
    expect(open).toEqual([]);
  });
});

describe('slow inline handlers', () => {
  it('leave connections for those who only want to store an event', async () => {
    const source = await newSource({ processing: 'inline' });
    const slow = Array.from({ length: 10 }, () => send(effectEvent('test.effect', { ms: 1000 }), source));
    const started = performance.now();
    expect(await send(effectEvent('test.effect'))).toMatchObject({ status: 200 });
    expect(performance.now() - started).toBeLessThan(900);
    const answers = await Promise.all(slow);
    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    expect(new Set(answers.map(({ body }) => body['status']))).toEqual(new Set(['processed', 'accepted']));
  });
});

describe('a source that is deleted while events are due', () => {
  it('does not take their handlers with it', async () => {
    const source = await newSource({ ordering: 'entity' });
    const entity = `pi_${randomUUID()}`;
    await send(effectEvent('test.effect', { id: entity, ms: 1000 }), source);
    const waiting = await send(effectEvent('test.effect', { id: entity }), source);
    expect((await holdfast.call('DELETE', `/api/webhook-sources/${source}`)).status).toBe(204);
    expect(await holdfast.eventIn('PROCESSED', waiting.body['id'])).toMatchObject({ attempts: 1 });
  });
});

describe('an error of the database', () => {
  it('is logged without the values of the statement', async () => {
    const secretValue = `value-${randomUUID()}`;
    const { body } = await send(effectEvent('test.bad_sql', { value: secretValue }));
    await holdfast.eventIn('FAILED', body['id']);
    await holdfast.logged({ id: body['id'] });
    expect(holdfast.server.output()).not.toContain(secretValue);
  });
});
