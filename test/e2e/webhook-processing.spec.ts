import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EffectCluster } from '../support/effect-cluster.js';
import { effectEvent, sendEvent } from '../support/effect-event.js';
import { expectProblem } from '../support/http-answer.js';
import { Scrape } from '../support/metrics.js';
import type { TestServer } from '../support/server.js';
import { waitFor } from '../support/wait-for.js';

const RETRY_BASE_MS = 200;
const MAX_RETRIES = 2;
const TIMEOUT_MS = 1500;
/** Of a handler that tests look at while it runs: enough for a few requests on a busy machine. */
const LONG_MS = 1000;
/** Another replica's poll, or ours, finds a due retry within this. */
const POLL_MS = 500;
/** What a busy machine may add to a wait. */
const SLACK_MS = 700;

let cluster: EffectCluster;
let server: TestServer;

beforeAll(async () => {
  cluster = await EffectCluster.create();
  server = await cluster.start({
    WEBHOOK_RETRY_BASE_MS: String(RETRY_BASE_MS),
    WEBHOOK_MAX_RETRIES: String(MAX_RETRIES),
    WEBHOOK_PROCESSING_TIMEOUT_MS: String(TIMEOUT_MS),
    WEBHOOK_LEASE_MS: '5000',
  });
  await cluster.createSource('inline', { processing: 'inline' });
  await cluster.createSource('ordered', { ordering: 'entity' });
});

afterAll(() => cluster?.end());

/** Milliseconds between the end of one attempt and the start of the next. */
async function waits(eventId: string): Promise<number[]> {
  const attempts = await cluster.attempts(eventId);
  return attempts.slice(1).map((next, index) => {
    const last = attempts[index]!;
    return next.started_at.getTime() - last.started_at.getTime() - last.duration_ms;
  });
}

async function outcomes(eventId: string): Promise<string[]> {
  return (await cluster.attempts(eventId)).map(({ outcome }) => outcome);
}

async function replay(id: string): Promise<number> {
  return (await server.fetch(`/api/webhook-events/${id}/replay`, { method: 'POST' })).status;
}

describe('an event that succeeds', () => {
  it("commits the handler's write and the attempt that says PROCESSED in one transaction", async () => {
    const event = effectEvent('test.effect', { value: 'written' });
    await cluster.accept(server, event);
    await cluster.untilStatus(event, 'PROCESSED');
    const transactions = await cluster.query<{ effect: string; attempt: string; outcome: string }>(
      `SELECT f.xmin::text AS effect, a.xmin::text AS attempt, a.outcome
       FROM webhook_events e JOIN webhook_attempts a ON a.event = e.id JOIN effects f USING (event_id)
       WHERE event_id = $1`,
      [event.id],
    );
    expect(transactions).toEqual([
      { effect: transactions[0]?.attempt, attempt: expect.any(String), outcome: 'processed' },
    ]);
  });

  it('starts within milliseconds of its answer, not with the next poll', async () => {
    const events = Array.from({ length: 5 }, () => effectEvent('test.effect'));
    // Whatever waits for a poll ends with it, and the next one then waits for a whole one.
    for (const event of events) {
      await cluster.accept(server, event);
      await cluster.untilStatus(event, 'PROCESSED');
    }
    const delays = await cluster.query<{ ms: number }>(
      `SELECT extract(epoch FROM f.at - e.created_at)::float8 * 1000 AS ms
       FROM webhook_events e JOIN effects f USING (event_id) WHERE event_id = ANY ($1) ORDER BY ms`,
      [events.map(({ id }) => id)],
    );
    expect(delays).toHaveLength(5);
    expect(delays[2]?.ms).toBeLessThan(POLL_MS / 2);
  });
});

describe('handlers', () => {
  it('all run for an event they match, exact or by glob, in their declared order', async () => {
    const both = effectEvent('test.glob.one');
    const one = effectEvent('test.glob.two');
    await Promise.all([both, one].map((event) => cluster.accept(server, event)));
    await Promise.all([both, one].map((event) => cluster.untilStatus(event, 'PROCESSED')));
    expect((await cluster.effects(both.id)).map(({ value }) => value)).toEqual(['first', 'second']);
    expect((await cluster.effects(one.id)).map(({ value }) => value)).toEqual(['second']);
  });

  it('share one transaction: when the second fails, the write of the first is rolled back', async () => {
    const event = effectEvent('test.pair', { failures: 1 });
    await cluster.accept(server, event);
    await cluster.untilStatus(event, 'PROCESSED');
    expect((await cluster.effects(event.id)).map(({ attempt, value }) => [attempt, value])).toEqual([
      [2, 'first'],
      [2, 'second'],
    ]);
  });
});

describe('an event that fails', () => {
  it('is tried again after the base delay, then twice that, ±20 %, and its effect happens once', async () => {
    const event = effectEvent('test.fails', { failures: 2 });
    await cluster.accept(server, event);
    const { error_message } = await cluster.untilStatus(event, 'PROCESSED');
    expect(error_message).toBeNull();
    expect(await outcomes(event.id)).toEqual(['failed', 'failed', 'processed']);
    const [first = 0, second = 0] = await waits(event.id);
    for (const [wait, delay] of [
      [first, RETRY_BASE_MS],
      [second, RETRY_BASE_MS * 2],
    ] as const) {
      expect(wait).toBeGreaterThanOrEqual(0.8 * delay - 1);
      expect(wait).toBeLessThanOrEqual(1.2 * delay + POLL_MS + SLACK_MS);
    }
    expect((await cluster.effects(event.id)).map(({ attempt }) => attempt)).toEqual([3]);
  });

  it('keeps each attempt with its error, duration and worker', async () => {
    const event = effectEvent('test.fails', { failures: 1, ms: 60 });
    await cluster.accept(server, event);
    await cluster.untilStatus(event, 'PROCESSED');
    const [failed, processed] = await cluster.attempts(event.id);
    expect(failed).toMatchObject({ attempt: 1, outcome: 'failed', error: 'Error: failing as asked' });
    expect(failed?.duration_ms).toBeGreaterThanOrEqual(59);
    expect(failed?.worker).toMatch(new RegExp(`:${server.pid}$`));
    expect(processed).toMatchObject({ attempt: 2, outcome: 'processed', error: null });
  });

  it('says while it waits when the next attempt is due', async () => {
    const event = effectEvent('test.fails', { failures: 1 });
    await cluster.accept(server, event);
    const row = await cluster.untilStatus(event, 'FAILED');
    expect(row).toMatchObject({ retry_count: 1, error_message: 'Error: failing as asked', claimed_by: null });
    const wait = (row.next_attempt_at?.getTime() ?? 0) - row.updated_at.getTime();
    expect(wait).toBeGreaterThanOrEqual(0.8 * RETRY_BASE_MS - 1);
    expect(wait).toBeLessThanOrEqual(1.2 * RETRY_BASE_MS + SLACK_MS);
    await cluster.untilStatus(event, 'PROCESSED');
  });

  it('is a dead letter after max_retries retries, with an audit line, an error in the log and a count', async () => {
    const deadLetters = async () => (await Scrape.of(server)).value('holdfast_webhook_dead_letters_total') ?? 0;
    const before = await deadLetters();
    const event = effectEvent('test.fails');
    await cluster.accept(server, event);
    const { id, next_attempt_at } = await cluster.untilStatus(event, 'DEAD_LETTER');
    expect(next_attempt_at).toBeNull();
    expect(await outcomes(event.id)).toEqual(Array(MAX_RETRIES + 1).fill('failed'));
    expect(await cluster.effects(event.id)).toEqual([]);
    const lines = await cluster.query<{ details: object }>(
      `SELECT details FROM audit_log WHERE subject = $1 AND action = 'webhook.dead_lettered'`,
      [`webhook-event:${id}`],
    );
    expect(lines).toMatchObject([{ details: { source: 'stripe', eventId: event.id, attempts: MAX_RETRIES + 1 } }]);
    await waitFor(() => server.logs().some((line) => line.level === 'error' && line['eventId'] === event.id));
    expect(await deadLetters()).toBeGreaterThan(before);
  });

  it('is a dead letter at once when the handler says that trying again is useless', async () => {
    const event = effectEvent('test.permanent');
    await cluster.accept(server, event);
    const { attempts } = await cluster.untilStatus(event, 'DEAD_LETTER');
    expect(attempts).toBe(1);
    expect(await cluster.effects(event.id)).toEqual([]);
  });

  it('waits as long as the handler asks for', async () => {
    const event = effectEvent('test.retry_after', { ms: 1000 });
    await cluster.accept(server, event);
    await cluster.untilStatus(event, 'PROCESSED');
    const [wait] = await waits(event.id);
    expect(wait).toBeGreaterThanOrEqual(999);
    expect(wait).toBeLessThanOrEqual(1000 + POLL_MS + SLACK_MS);
  });

  it('succeeds when it is replayed from the dead letters, its attempts counted on', async () => {
    const event = effectEvent('test.fails', { failures: MAX_RETRIES + 1 });
    await cluster.accept(server, event);
    const { id } = await cluster.untilStatus(event, 'DEAD_LETTER');
    expect(await replay(id)).toBe(202);
    expect(await cluster.untilStatus(event, 'PROCESSED')).toMatchObject({ attempts: MAX_RETRIES + 2, retry_count: 0 });
    expect((await cluster.effects(event.id)).map(({ attempt }) => attempt)).toEqual([MAX_RETRIES + 2]);
  });

  it('cannot be replayed while a worker runs it', async () => {
    const event = effectEvent('test.effect', { ms: LONG_MS });
    await cluster.accept(server, event);
    const { id } = await cluster.untilStatus(event, 'PROCESSING');
    expect(await replay(id)).toBe(409);
    await cluster.untilStatus(event, 'PROCESSED');
    expect(await cluster.effects(event.id)).toHaveLength(1);
  });
});

describe('a handler that takes too long', () => {
  it('is rolled back and tried again; the attempt says why', async () => {
    const event = effectEvent('test.hang', { failures: 1 });
    await cluster.accept(server, event);
    await cluster.untilStatus(event, 'PROCESSED');
    const [timedOut, processed] = await cluster.attempts(event.id);
    expect(timedOut).toMatchObject({ outcome: 'timed_out', error: expect.stringContaining(`${TIMEOUT_MS} ms`) });
    expect(timedOut?.duration_ms).toBeGreaterThanOrEqual(TIMEOUT_MS - 1);
    expect(processed).toMatchObject({ outcome: 'processed' });
    expect((await cluster.effects(event.id)).map(({ attempt }) => attempt)).toEqual([2]);
  });

  it('cannot write any more when it comes back', async () => {
    const event = effectEvent('test.late', { failures: 1, ms: TIMEOUT_MS + 100 });
    const after = effectEvent('test.effect', { ms: TIMEOUT_MS / 2 });
    await cluster.accept(server, event);
    await cluster.untilStatus(event, 'PROCESSED');
    await cluster.accept(server, after);
    await cluster.untilStatus(after, 'PROCESSED');
    expect((await cluster.effects(event.id)).map(({ attempt }) => attempt)).toEqual([2]);
  });

  it('cannot write any more although its next write was already on its way', async () => {
    const events = Array.from({ length: 4 }, () => effectEvent('test.busy', { failures: 1 }));
    await Promise.all(events.map((event) => cluster.accept(server, event)));
    await Promise.all(events.map((event) => cluster.untilStatus(event, 'PROCESSED')));
    for (const { id } of events) {
      expect(await outcomes(id)).toEqual(['timed_out', 'processed']);
      expect((await cluster.effects(id)).map(({ attempt }) => attempt)).toEqual([2]);
    }
  });
});

describe('an inline source', () => {
  it('answers `processed` once the effect is committed, and `already_processed` to the duplicate', async () => {
    const event = effectEvent('test.effect', { ms: 50 });
    expect((await cluster.accept(server, event, 'inline')).body).toMatchObject({ status: 'processed' });
    expect(await cluster.effects(event.id)).toHaveLength(1);
    expect((await cluster.accept(server, event, 'inline')).body).toMatchObject({ status: 'already_processed' });
    expect(await cluster.effects(event.id)).toHaveLength(1);
  });

  it('answers 504 when the time is up, and the stored event is tried again', async () => {
    const event = effectEvent('test.hang', { failures: 1 });
    expectProblem(await sendEvent(server.url, event, 'inline'), 504, 'WEBHOOK_TIMEOUT');
    expect((await cluster.accept(server, event, 'inline')).body).toMatchObject({ status: 'already_processed' });
    await cluster.untilStatus(event, 'PROCESSED');
    expect(await outcomes(event.id)).toEqual(['timed_out', 'processed']);
    expect(await cluster.effects(event.id)).toHaveLength(1);
  });

  it('answers `accepted` when the handler fails: the event is kept and tried again', async () => {
    const event = effectEvent('test.fails', { failures: 1 });
    expect((await cluster.accept(server, event, 'inline')).body).toMatchObject({ status: 'accepted' });
    await cluster.untilStatus(event, 'PROCESSED');
    expect(await cluster.effects(event.id)).toHaveLength(1);
  });
});

describe('a source with ordering', () => {
  it('runs the events of one entity in the order of arrival, though the first is slow and the second fails', async () => {
    const entity = 'pi_in_order';
    const events = [
      effectEvent('test.effect', { id: entity, ms: 300 }),
      effectEvent('test.fails', { id: entity, failures: 1 }),
      effectEvent('test.effect', { id: entity }),
      effectEvent('test.permanent', { id: entity }),
      effectEvent('test.effect', { id: entity }),
    ];
    for (const event of events) await cluster.accept(server, event, 'ordered');
    await cluster.untilStatus(events[4]!, 'PROCESSED');
    const written = (await cluster.effects()).map(({ event_id }) => event_id);
    const ids = events.filter((_, index) => index !== 3).map(({ id }) => id);
    expect(written.filter((id) => ids.includes(id))).toEqual(ids);
  });

  it('starts the next event of an entity only when the one before is done', async () => {
    const events = [300, 100, 0].map((ms) => effectEvent('test.effect', { id: 'pi_one_by_one', ms }));
    for (const event of events) await cluster.accept(server, event, 'ordered');
    await cluster.untilStatus(events[2]!, 'PROCESSED');
    const starts = await Promise.all(events.map(async ({ id }) => (await cluster.effects(id))[0]!.at.getTime()));
    expect(starts[1]! - starts[0]!).toBeGreaterThanOrEqual(299);
    expect(starts[2]! - starts[1]!).toBeGreaterThanOrEqual(99);
  });

  it('does not hold up the events of other entities', async () => {
    const slow = effectEvent('test.effect', { id: 'pi_slow', ms: LONG_MS });
    const waiting = effectEvent('test.effect', { id: 'pi_slow' });
    const others = ['pi_a', 'pi_b', 'pi_c'].map((id) => effectEvent('test.effect', { id }));
    await cluster.accept(server, slow, 'ordered');
    await cluster.accept(server, waiting, 'ordered');
    await Promise.all(others.map((event) => cluster.accept(server, event, 'ordered')));
    await Promise.all(others.map((event) => cluster.untilStatus(event, 'PROCESSED')));
    expect((await cluster.event(slow.id))?.status).toBe('PROCESSING');
    expect((await cluster.event(waiting.id))?.status).toBe('PENDING');
    await cluster.untilStatus(waiting, 'PROCESSED');
  });

  it('does not let an event that happened earlier undo a newer state, and tells other handlers it is stale', async () => {
    const now = Math.floor(Date.now() / 1000);
    const newer = effectEvent('test.state', { id: 'pi_state', value: 'succeeded' }, now);
    const older = effectEvent('test.state', { id: 'pi_state', value: 'processing' }, now - 10);
    const added = effectEvent('test.effect', { id: 'pi_state' }, now - 10);
    for (const event of [newer, older, added]) await cluster.accept(server, event, 'ordered');
    await cluster.untilStatus(added, 'PROCESSED');
    expect((await cluster.event(older.id))?.status).toBe('PROCESSED');
    expect((await cluster.effects(newer.id)).map(({ stale }) => stale)).toEqual([false]);
    expect(await cluster.effects(older.id)).toEqual([]);
    expect((await cluster.effects(added.id)).map(({ stale }) => stale)).toEqual([true]);
  });
});
