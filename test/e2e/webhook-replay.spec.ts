import { beforeAll, describe, expect, it } from '@jest/globals';
import { EFFECT_SCHEMA } from '../support/effect-schema.js';
import { type Answer, expectProblem } from '../support/http-answer.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { SECRETS } from '../support/signing.js';
import { waitFor } from '../support/wait-for.js';
import { newEventId, stripeEvent, type StripeEvent } from '../support/webhook-sender.js';

const holdfast = serverUnderTest({ entry: 'test/support/effect-server.ts', env: { WEBHOOK_RETRY_BASE_MS: '10' } });

beforeAll(() => holdfast.sql(EFFECT_SCHEMA));

async function newSource(fields: object = {}): Promise<string> {
  const name = newEventId();
  const source = { name, provider: 'stripe', secret: SECRETS.stripe, ...fields };
  expect((await holdfast.call('POST', '/api/webhook-sources', source)).status).toBe(201);
  return name;
}

async function send(event: StripeEvent, source = 'stripe'): Promise<string> {
  const { status, body } = await holdfast.sender.stripe(event, { path: `/webhooks/${source}` });
  expect({ status, body }).toMatchObject({ status: 200 });
  return String(body['id']);
}

const replay = (id: string) => holdfast.call('POST', `/api/webhook-events/${id}/replay`);

/** How often each event of a source has had its effect. */
async function effectsPerEvent(source: string): Promise<number[]> {
  const rows = await holdfast.sql<{ effects: number }>(
    `SELECT count(effects.event_id)::integer AS effects
     FROM webhook_events LEFT JOIN effects USING (event_id) WHERE source = $1 GROUP BY event_id`,
    [source],
  );
  return rows.map(({ effects }) => effects);
}

describe('Replaying one event', () => {
  it('runs it again now, with its retries anew, and is on record', async () => {
    const event = stripeEvent('test.effect');
    const id = await send(event);
    await holdfast.eventIn('PROCESSED', id);
    expect(await replay(id)).toMatchObject({ status: 202, body: { id, status: 'PENDING' } });
    const detail = await waitFor(async () => {
      const { body } = await holdfast.call('GET', `/api/webhook-events/${id}`);
      return body['status'] === 'PROCESSED' && body['attempts'] === 2 ? body : undefined;
    });
    expect(detail['attemptLog']).toMatchObject([
      { attempt: 1, outcome: 'processed' },
      { attempt: 2, outcome: 'processed' },
    ]);
    expect(await holdfast.sql('SELECT attempt FROM effects WHERE event_id = $1 ORDER BY n', [event.id])).toEqual([
      { attempt: 1 },
      { attempt: 2 },
    ]);
    const { body } = await holdfast.call('GET', `/api/audit?subject=webhook-event:${id}&action=webhook.replayed`);
    expect(body['data']).toMatchObject([{ actor: expect.stringMatching(/^api-key:/) }]);
  });

  it('gives a dead letter all of its retries again', async () => {
    const id = await send(stripeEvent('test.fails', { object: { failures: 6 } }));
    expect(await holdfast.eventIn('DEAD_LETTER', id)).toMatchObject({ attempts: 4, retryCount: 3 });
    await replay(id);
    expect(await holdfast.eventIn('PROCESSED', id)).toMatchObject({ attempts: 7, retryCount: 2, error: null });
  });

  it('leaves an event without a handler ignored, its attempt on record', async () => {
    const id = await send(stripeEvent('nobody.listens'));
    expect((await replay(id)).status).toBe(202);
    const detail = await waitFor(async () => {
      const { body } = await holdfast.call('GET', `/api/webhook-events/${id}`);
      return body['attempts'] === 1 ? body : undefined;
    });
    expect(detail).toMatchObject({ status: 'IGNORED', attemptLog: [{ attempt: 1, outcome: 'ignored' }] });
  });

  it('runs what was ignored once there is a handler for it', async () => {
    const event = stripeEvent('test.effect');
    const id = await send(event);
    await holdfast.eventIn('PROCESSED', id);
    // As it would stand after a server without the handler had stored it.
    await holdfast.sql(
      `UPDATE webhook_events SET status = 'IGNORED', processed = false, processed_at = NULL WHERE id = $1`,
      [id],
    );
    await replay(id);
    await holdfast.eventIn('PROCESSED', id);
    expect(await holdfast.sql('SELECT 1 FROM effects WHERE event_id = $1', [event.id])).toHaveLength(2);
  });

  it('waits for nobody: an event that is running right now is left alone', async () => {
    const id = await send(stripeEvent('test.effect', { object: { ms: 1500 } }));
    await holdfast.eventIn('PROCESSING', id);
    expectProblem(await replay(id), 409, 'WEBHOOK_EVENT_IN_PROGRESS');
    expect(await holdfast.eventIn('PROCESSED', id)).toMatchObject({ attempts: 1 });
  });

  it('knows no event that is not there', async () => {
    expectProblem(await replay('01890000-0000-7000-8000-000000000000'), 404, 'NOT_FOUND');
    expectProblem(await replay('not-a-uuid'), 404, 'NOT_FOUND');
  });
});

describe('A replay job', () => {
  const JOBS = '/api/replay-jobs';
  const createJob = (job: object): Promise<Answer> => holdfast.call('POST', JOBS, job);
  const jobOf = async (id: unknown) => (await holdfast.call('GET', `${JOBS}/${String(id)}`)).body;
  const finished = (id: unknown) =>
    waitFor(
      async () => {
        const job = await jobOf(id);
        return ['COMPLETED', 'CANCELED', 'FAILED'].includes(String(job['status'])) ? job : undefined;
      },
      { timeout: 20_000, what: `the end of replay job ${String(id)}` },
    );

  /** A source with so many events, all of them processed. */
  async function processedEvents(count: number): Promise<string> {
    const source = await newSource({ rateLimitPerMinute: 0 });
    const ids = await Promise.all(Array.from({ length: count }, () => send(stripeEvent('test.effect'), source)));
    for (const id of ids) await holdfast.eventIn('PROCESSED', id);
    return source;
  }

  it('replays every event of its filter once, tells its progress, and no other', async () => {
    const [source, other] = [await processedEvents(12), await processedEvents(2)];
    const answer = await createJob({ filter: { source, status: 'PROCESSED', type: 'test.effect' } });
    expect(answer).toMatchObject({
      status: 202,
      body: {
        filter: { source, status: 'PROCESSED', type: 'test.effect' },
        dryRun: false,
        ratePerSecond: 50,
        total: 12,
        createdBy: expect.stringMatching(/^api-key:/),
      },
    });
    expect(await finished(answer.body['id'])).toMatchObject({
      status: 'COMPLETED',
      total: 12,
      examined: 12,
      replayed: 12,
      finishedAt: expect.any(String),
    });
    await waitFor(async () => (await effectsPerEvent(source)).every((effects) => effects === 2));
    expect(await effectsPerEvent(other)).toEqual([1, 1]);
    const { body } = await holdfast.call('GET', `/api/audit?subject=replay-job:${String(answer.body['id'])}`);
    expect(body['data']).toMatchObject([{ action: 'replay_job.created', details: { total: 12, dryRun: false } }]);
  });

  it('only counts in a dry run', async () => {
    const source = await processedEvents(3);
    await send(stripeEvent('nobody.listens'), source);
    const { status, body } = await createJob({ filter: { source, status: 'PROCESSED' }, dryRun: true });
    expect({ status, body }).toMatchObject({
      status: 202,
      body: { status: 'COMPLETED', dryRun: true, total: 3, examined: 0, replayed: 0, finishedAt: expect.any(String) },
    });
    expect(await effectsPerEvent(source)).toEqual(expect.arrayContaining([1, 1, 1, 0]));
  });

  it('keeps to its rate', async () => {
    const source = await processedEvents(9);
    const { body } = await createJob({ filter: { source }, ratePerSecond: 3 });
    const job = await finished(body['id']);
    // Three slices of three, a second apart, and a look that finds no more.
    const took = Date.parse(String(job['finishedAt'])) - Date.parse(String(job['createdAt']));
    expect(took).toBeGreaterThanOrEqual(2900);
    expect(job).toMatchObject({ replayed: 9 });
    await waitFor(async () => (await effectsPerEvent(source)).every((effects) => effects === 2));
  });

  it('shows how far it has come and stops when cancelled; what was replayed stays replayed', async () => {
    const source = await processedEvents(30);
    const { body } = await createJob({ filter: { source }, ratePerSecond: 2 });
    const id = String(body['id']);
    const midway = await waitFor(async () => {
      const job = await jobOf(id);
      return Number(job['replayed']) >= 4 ? job : undefined;
    });
    expect(midway).toMatchObject({ status: 'RUNNING', total: 30, finishedAt: null });
    const canceled = await holdfast.call('DELETE', `${JOBS}/${id}`);
    expect(canceled).toMatchObject({ status: 200, body: { status: 'CANCELED', finishedAt: expect.any(String) } });
    const replayed = Number(canceled.body['replayed']);
    expect(replayed).toBeLessThan(30);
    await waitFor(async () => (await effectsPerEvent(source)).filter((effects) => effects === 2).length === replayed);
    // Longer than a slice: another one would have come.
    const later = await createJob({ filter: { source: await processedEvents(1) }, ratePerSecond: 1 });
    await finished(later.body['id']);
    expect(await jobOf(id)).toMatchObject({ status: 'CANCELED', replayed });
    expect((await effectsPerEvent(source)).filter((effects) => effects === 2)).toHaveLength(replayed);
    const { body: audit } = await holdfast.call('GET', `/api/audit?subject=replay-job:${id}`);
    expect((audit['data'] as { action: string }[]).map(({ action }) => action)).toEqual([
      'replay_job.canceled',
      'replay_job.created',
    ]);
  });

  it('that has ended is not changed by a cancel', async () => {
    const { body } = await createJob({ filter: { source: 'nobody' } });
    await finished(body['id']);
    const canceled = await holdfast.call('DELETE', `${JOBS}/${String(body['id'])}`);
    expect(canceled).toMatchObject({ status: 200, body: { status: 'COMPLETED', total: 0, replayed: 0 } });
  });

  it('leaves alone what arrived after it was made', async () => {
    const source = await processedEvents(4);
    const { body } = await createJob({ filter: { source }, ratePerSecond: 2 });
    const late = stripeEvent('test.effect');
    await send(late, source);
    expect(await finished(body['id'])).toMatchObject({ total: 4, replayed: 4 });
    await waitFor(async () => (await effectsPerEvent(source)).toSorted((a, b) => a - b).join() === '1,2,2,2,2');
  });

  it.each([
    ['no filter', {}],
    ['an empty filter', { filter: {} }],
    ['a filter of nothing but null', { filter: { source: null, status: null } }],
    ['null in the filter', { filter: { source: 'stripe', type: null } }],
    ['null for dryRun', { filter: { source: 'stripe' }, dryRun: null }],
    ['a list for a filter', { filter: [{}] }],
    ['a text for a filter', { filter: 'DEAD_LETTER' }],
    ['an unknown field in the filter', { filter: { sources: 'stripe' } }],
    ['an unknown status', { filter: { status: 'DONE' } }],
    ['events that are running', { filter: { status: 'PROCESSING' } }],
    ['a bad time', { filter: { from: '2026-02-30T00:00:00Z' } }],
    ['half of a surrogate pair in the filter', { filter: { type: '\ud800' } }],
    ['NUL in the filter', { filter: { type: 'a\0b' } }],
    ['no rate at all', { filter: { source: 'stripe' }, ratePerSecond: 0 }],
    ['too high a rate', { filter: { source: 'stripe' }, ratePerSecond: 10_001 }],
    ['a text for a rate', { filter: { source: 'stripe' }, ratePerSecond: '5' }],
    ['a text for dryRun', { filter: { source: 'stripe' }, dryRun: 'true' }],
    ['an unknown field', { filter: { source: 'stripe' }, surprise: 1 }],
  ])('is refused with %s, so that nobody replays everything by mistake', async (_, job) => {
    expectProblem(await createJob(job), 400, 'VALIDATION_FAILED');
  });

  it('is listed, newest first, page by page', async () => {
    const ids: unknown[] = [];
    for (let made = 0; made < 3; made += 1) {
      ids.push((await createJob({ filter: { source: 'nobody' }, dryRun: true })).body['id']);
    }
    const first = await holdfast.call('GET', `${JOBS}?limit=2`);
    const data = first.body['data'] as { id: string }[];
    expect(data.map(({ id }) => id)).toEqual([ids[2], ids[1]]);
    const second = await holdfast.call('GET', `${JOBS}?limit=1&cursor=${String(first.body['nextCursor'])}`);
    expect(second.body['data']).toMatchObject([{ id: ids[0] }]);
  });

  it('that does not exist is 404', async () => {
    for (const method of ['GET', 'DELETE']) {
      expectProblem(await holdfast.call(method, `${JOBS}/01890000-0000-7000-8000-000000000000`), 404, 'NOT_FOUND');
      expectProblem(await holdfast.call(method, `${JOBS}/not-a-uuid`), 404, 'NOT_FOUND');
    }
  });
});
