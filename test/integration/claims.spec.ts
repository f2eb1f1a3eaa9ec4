import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Config, loadConfig } from '../../src/config/index.js';
import { newId } from '../../src/kernel/ids.js';
import {
  type Attempt,
  type ClaimedEvent,
  ClaimsRepository,
} from '../../src/modules/webhooks/processing/claims.repository.js';
import { SweepsRepository } from '../../src/modules/webhooks/processing/sweeps.repository.js';
import { createDataSource } from '../../src/platform/database/index.js';
import { Metrics } from '../../src/platform/metrics/index.js';
import { Transactor } from '../../src/platform/transaction/index.js';
import { ClaimLostError } from '../../src/platform/work-queue/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { waitFor } from '../support/wait-for.js';

const LEASE_MS = 60_000;

/** One replica: its own connections. */
class Replica {
  readonly transactor: Transactor;
  readonly claims: ClaimsRepository;
  readonly sweeps = new SweepsRepository();

  private constructor(
    readonly dataSource: DataSource,
    config: Config,
  ) {
    this.transactor = new Transactor(dataSource, new Metrics());
    this.claims = new ClaimsRepository(config, this.transactor);
  }

  static async connect(url: string, config: Config): Promise<Replica> {
    const dataSource = createDataSource(
      url,
      { entities: [], migrations: [] },
      { poolSize: 8, poolTimeoutMs: 5000, statementTimeoutMs: 5000 },
    );
    return new Replica(await dataSource.initialize(), config);
  }

  /** One claimed event. */
  async claimOne(): Promise<ClaimedEvent> {
    const [event] = await this.claims.claim(1, 100, 1e9);
    if (!event) throw new Error('Nothing is due');
    return event;
  }

  record(...events: ClaimedEvent[]): Promise<void> {
    return this.transactor.run((tx) => this.claims.record(tx, events, 'PROCESSED', 7));
  }

  async complete(...events: ClaimedEvent[]): Promise<void> {
    await this.record(...events);
    await this.claims.settle(events);
  }

  sweep() {
    return this.transactor.run((tx) => this.sweeps.recoverAbandoned(tx, 1000), { isolation: 'READ COMMITTED' });
  }
}

let database: TestDatabase;
let one: Replica;
let other: Replica;

beforeAll(async () => {
  database = await createTestDatabase();
  const config = loadConfig({
    ENCRYPTION_KEY: 'c'.repeat(64),
    JWT_SECRET: 'c'.repeat(64),
    WEBHOOK_LEASE_MS: String(LEASE_MS),
    DATABASE_URL: database.url,
  });
  one = await Replica.connect(database.url, config);
  other = await Replica.connect(database.url, config);
});

afterAll(async () => {
  await Promise.all([one, other].map((replica) => replica?.dataSource.destroy()));
  await database?.drop();
});

beforeEach(() => one.dataSource.query('TRUNCATE webhook_events, webhook_attempts CASCADE'));

interface Row {
  id: string;
  status: string;
  retry_count: number;
  attempts: number;
  claim_id: string | null;
  error_message: string | null;
  /** Until it is due, or until the lease ends. */
  seconds: number | null;
}

/** @param columns overriding those of a PENDING event that is due, as SQL @returns the ids, oldest first */
async function store(count: number, columns: Record<string, string> = {}): Promise<string[]> {
  const ids = Array.from({ length: count }, () => newId());
  const values = {
    source: `'stripe'`,
    provider: `'stripe'`,
    idempotency_key: 'id',
    event_id: 'id',
    event_type: `'test'`,
    status: `'PENDING'`,
    raw_body: `'{}'`,
    metadata: `'{"headers": {}}'`,
    payload_hash: `''`,
    next_attempt_at: `now() - interval '1 second'`,
    ...columns,
  };
  await one.dataSource.query(
    `INSERT INTO webhook_events (id, ${Object.keys(values).join(', ')})
     SELECT id, ${Object.values(values).join(', ')} FROM unnest($1::uuid[]) AS id`,
    [ids],
  );
  return ids;
}

async function row(id: string): Promise<Row> {
  const [found] = await one.dataSource.query<Row[]>(
    `SELECT *, extract(epoch FROM next_attempt_at - clock_timestamp())::float8 AS seconds
     FROM webhook_events WHERE id = $1`,
    [id],
  );
  if (!found) throw new Error(`There is no ${id}`);
  return found;
}

async function attemptsOf(id: string) {
  return one.dataSource.query<{ attempt: number; outcome: string; error: string | null; worker: string }[]>(
    'SELECT * FROM webhook_attempts WHERE event = $1 ORDER BY attempt',
    [id],
  );
}

/** As if the worker had been gone for a minute. */
async function endLease(id: string): Promise<void> {
  await one.dataSource.query(`UPDATE webhook_events SET next_attempt_at = now() - interval '1 minute' WHERE id = $1`, [
    id,
  ]);
}

async function waitingForTransactions(): Promise<number> {
  const [found] = await one.dataSource.query<{ waiting: number }[]>(
    `SELECT count(*)::integer AS waiting FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted`,
  );
  return found?.waiting ?? 0;
}

/** Runs `work` while another transaction holds the event's row. */
async function whileLocked<T>(id: string, work: () => Promise<T>): Promise<T> {
  const runner = other.dataSource.createQueryRunner();
  await runner.startTransaction();
  try {
    await runner.query('SELECT FROM webhook_events WHERE id = $1 FOR NO KEY UPDATE', [id]);
    return await work();
  } finally {
    await runner.rollbackTransaction();
    await runner.release();
  }
}

describe('claiming', () => {
  it('gives each due event to exactly one of many workers that ask at the same time', async () => {
    const ids = await store(100);
    const claims = await Promise.all(
      Array.from({ length: 16 }, (_, index) => (index % 2 === 0 ? one : other).claims.claim(10, 100, 1e9)),
    );
    const rest = await one.claims.claim(100, 100, 1e9);
    const claimed = [...claims.flat(), ...rest].map(({ id }) => id);
    expect(claimed.toSorted()).toEqual(ids);
    expect(new Set(claimed).size).toBe(100);
  });

  it('takes what has waited longest, up to the limit, and nothing that is not due', async () => {
    const [late] = await store(1, { next_attempt_at: `now() - interval '1 second'` });
    const [early] = await store(1, { next_attempt_at: `now() - interval '1 hour'`, status: `'FAILED'` });
    await store(1, { next_attempt_at: `now() + interval '1 hour'` });
    await store(1, { next_attempt_at: 'NULL', status: `'DEAD_LETTER'` });
    expect((await one.claims.claim(1, 100, 1e9)).map(({ id }) => id)).toEqual([early]);
    expect((await one.claims.claim(10, 100, 1e9)).map(({ id }) => id)).toEqual([late]);
  });

  it('brings no more bodies into memory than it may, and always one', async () => {
    const ids = await store(3, { raw_body: `convert_to(repeat('x', 9 * 1024 * 1024), 'UTF8')` });
    expect((await one.claims.claim(10, 10, 16 * 1024 * 1024)).map(({ id }) => id).toSorted()).toEqual(ids.slice(0, 2));
    expect((await one.claims.claim(10, 10, 1)).map(({ id }) => id)).toEqual(ids.slice(2));
  });

  it('takes no more of what was tried before than it is told', async () => {
    const tried = await store(5, {
      status: `'FAILED'`,
      retry_count: '1',
      next_attempt_at: `now() - interval '1 hour'`,
    });
    const fresh = await store(5);
    const claimed = (await one.claims.claim(10, 2, 1e9)).map(({ id }) => id);
    expect(claimed.filter((id) => fresh.includes(id))).toHaveLength(5);
    expect(claimed.filter((id) => tried.includes(id))).toHaveLength(2);
  });

  it('passes over an event whose row somebody holds instead of waiting for it', async () => {
    const [held, free] = await store(2);
    const claimed = await whileLocked(held!, () => one.claims.claim(10, 100, 1e9));
    expect(claimed.map(({ id }) => id)).toEqual([free]);
  });

  it('marks the event with a claim of its own and a lease', async () => {
    const [id] = await store(1);
    const { claimId } = await one.claimOne();
    const { status, claim_id, seconds } = await row(id!);
    expect({ status, claim_id }).toEqual({ status: 'PROCESSING', claim_id: claimId });
    expect(seconds).toBeGreaterThan(LEASE_MS / 1000 - 5);
    expect(seconds).toBeLessThanOrEqual(LEASE_MS / 1000);
  });
});

describe('a claim', () => {
  it('is prolonged by the heartbeat of its holder, and by no other', async () => {
    const [mine, lost] = await store(2);
    const [first, second] = await one.claims.claim(2, 100, 1e9);
    await Promise.all([endLease(mine!), endLease(lost!)]);
    await one.claims.extend([first!, { ...second!, claimId: newId() }]);
    expect((await row(first!.id)).seconds).toBeGreaterThan(0);
    expect((await row(second!.id)).seconds).toBeLessThan(0);
  });

  it('is prolonged without waiting for somebody who holds another row', async () => {
    await store(2);
    const [busy, free] = await one.claims.claim(2, 100, 1e9);
    await endLease(free!.id);
    await whileLocked(busy!.id, () => one.claims.extend([busy!, free!]));
    expect((await row(free!.id)).seconds).toBeGreaterThan(0);
  });

  it('completes its events, with an attempt in the log of each', async () => {
    const ids = await store(3);
    await one.complete(...(await one.claims.claim(3, 100, 1e9)));
    for (const id of ids) {
      expect(await row(id)).toMatchObject({ status: 'PROCESSED', attempts: 1, claim_id: null, seconds: null });
      expect(await attemptsOf(id)).toMatchObject([{ attempt: 1, outcome: 'processed', duration_ms: 7 }]);
    }
  });

  it('completes once, whoever else believes it to be theirs', async () => {
    const [id] = await store(1);
    const event = await one.claimOne();
    const records = await Promise.allSettled([one.record(event), other.record(event), one.record(event)]);
    const refused = records.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []));
    expect(refused).toEqual([expect.any(ClaimLostError), expect.any(ClaimLostError)]);
    expect(await attemptsOf(id!)).toHaveLength(1);
  });

  it('completes with others, or not at all when one of them was lost', async () => {
    const [mine, lost] = await store(2);
    const [first, second] = await one.claims.claim(2, 100, 1e9);
    await endLease(second!.id);
    await other.sweep();
    await expect(one.record(first!, second!)).rejects.toThrow(ClaimLostError);
    expect(await attemptsOf(first!.id)).toEqual([]);
    await one.complete(first!);
    expect([first!.id, second!.id].toSorted()).toEqual([mine, lost]);
    expect((await row(first!.id)).status).toBe('PROCESSED');
    expect((await row(second!.id)).status).toBe('FAILED');
  });

  it('whose attempt has committed is neither failed nor done again by who has not learned of it', async () => {
    const [id] = await store(1);
    const event = await one.claimOne();
    await one.record(event);
    const attempt: Attempt = { outcome: 'failed', durationMs: 1, error: 'the answer to COMMIT did not come' };
    const failed = await one.transactor.run((tx) => one.claims.fail(tx, event, { status: 'DEAD_LETTER' }, attempt));
    expect(failed).toBe(false);
    await one.claims.release([event]);
    const again = await other.claimOne();
    await expect(other.record(again)).rejects.toThrow(ClaimLostError);
    await other.claims.settle([again]);
    expect(await row(id!)).toMatchObject({ status: 'PROCESSED', attempts: 1 });
  });

  it('that was lost completes nothing, fails nothing and releases nothing', async () => {
    const [id] = await store(1);
    const lost = await one.claimOne();
    await endLease(id!);
    await other.sweep();
    const taken = await other.claimOne();
    const attempt: Attempt = { outcome: 'failed', durationMs: 1, error: 'too late' };
    expect(await one.claims.current([lost])).toEqual(new Map());
    await expect(one.record(lost)).rejects.toThrow(ClaimLostError);
    await one.claims.settle([lost]);
    const failed = await one.transactor.run((tx) => one.claims.fail(tx, lost, { status: 'DEAD_LETTER' }, attempt));
    expect(failed).toBe(false);
    await one.claims.release([lost]);
    expect(await row(id!)).toMatchObject({ status: 'PROCESSING', claim_id: taken.claimId });
    await other.complete(taken);
    expect((await attemptsOf(id!)).map(({ outcome }) => outcome)).toEqual(['abandoned', 'processed']);
  });

  it('keeps the event from being completed in a transaction that is rolled back', async () => {
    const [id] = await store(1);
    const event = await one.claimOne();
    const undone = one.transactor.run(async (tx) => {
      await one.claims.record(tx, [event], 'PROCESSED', 1);
      throw new Error('after all not');
    });
    await expect(undone).rejects.toThrow('after all not');
    await one.claims.settle([event]);
    expect(await row(id!)).toMatchObject({ status: 'PROCESSING', attempts: 0, claim_id: event.claimId });
    expect(await attemptsOf(id!)).toEqual([]);
  });

  it('is handed back as if it had never been: due at once, no attempt, no retry', async () => {
    const [fresh] = await store(1);
    const [retried] = await store(1, { status: `'FAILED'`, retry_count: '2', attempts: '2' });
    await one.claims.release(await one.claims.claim(2, 100, 1e9));
    expect(await row(fresh!)).toMatchObject({ status: 'PENDING', retry_count: 0, attempts: 0, claim_id: null });
    expect(await row(retried!)).toMatchObject({ status: 'FAILED', retry_count: 2, attempts: 2, claim_id: null });
    expect(await other.claims.claim(2, 100, 1e9)).toHaveLength(2);
  });

  it('ends with a failure that says when to try again', async () => {
    const [id] = await store(1);
    const event = await one.claimOne();
    const attempt: Attempt = { outcome: 'timed_out', durationMs: 7, error: 'too slow' };
    const failing = one.transactor.run((tx) =>
      one.claims.fail(tx, event, { status: 'FAILED', delayMs: 90_000, usesRetry: true }, attempt),
    );
    expect(await failing).toBe(true);
    const failed = await row(id!);
    expect(failed).toMatchObject({ status: 'FAILED', retry_count: 1, attempts: 1, error_message: 'too slow' });
    expect(failed.seconds).toBeGreaterThan(80);
    expect(failed.seconds).toBeLessThanOrEqual(90);
    expect(await attemptsOf(id!)).toMatchObject([{ outcome: 'timed_out', error: 'too slow', duration_ms: 7 }]);
  });

  it('ends with a failure that uses up no retry, when rivals are to blame', async () => {
    const [id] = await store(1);
    const event = await one.claimOne();
    const attempt: Attempt = { outcome: 'failed', durationMs: 7, error: 'could not serialize access' };
    await one.transactor.run((tx) =>
      one.claims.fail(tx, event, { status: 'FAILED', delayMs: 90_000, usesRetry: false }, attempt),
    );
    expect(await row(id!)).toMatchObject({ status: 'FAILED', retry_count: 0, attempts: 1 });
    expect(await attemptsOf(id!)).toMatchObject([{ outcome: 'failed' }]);
  });
});

describe('the sweep', () => {
  it('leaves a lease alone that has not ended', async () => {
    const [id] = await store(1);
    await one.claimOne();
    expect(await other.sweep()).toEqual([]);
    expect((await row(id!)).status).toBe('PROCESSING');
  });

  it('makes an abandoned event due again, as one retry and one attempt of the worker that is gone', async () => {
    const [id] = await store(1);
    await one.claimOne();
    await endLease(id!);
    expect(await other.sweep()).toMatchObject([{ id, status: 'FAILED', attempts: 1 }]);
    expect(await row(id!)).toMatchObject({ status: 'FAILED', retry_count: 1, attempts: 1, claim_id: null });
    expect(await attemptsOf(id!)).toMatchObject([
      { attempt: 1, outcome: 'abandoned', worker: expect.stringMatching(new RegExp(`:${process.pid}$`)) },
    ]);
    expect(await other.claims.claim(1, 100, 1e9)).toHaveLength(1);
  });

  it('makes a dead letter of an event that was abandoned once too often', async () => {
    const [id] = await store(1, { max_retries: '1', retry_count: '1', attempts: '1', status: `'FAILED'` });
    await one.claimOne();
    await endLease(id!);
    expect(await other.sweep()).toMatchObject([{ id, status: 'DEAD_LETTER', attempts: 2 }]);
    expect(await row(id!)).toMatchObject({ status: 'DEAD_LETTER', retry_count: 1, seconds: null });
  });

  it('settles what was recorded by a worker that did not live to say so', async () => {
    const [id] = await store(1);
    await one.record(await one.claimOne());
    await endLease(id!);
    expect(await other.sweep()).toEqual([]);
    expect(await row(id!)).toMatchObject({ status: 'PROCESSED', attempts: 1, retry_count: 0, claim_id: null });
    expect((await attemptsOf(id!)).map(({ outcome }) => outcome)).toEqual(['processed']);
  });

  it('waits for a worker that is recording at the moment, and takes nothing from it', async () => {
    const [id] = await store(1);
    const event = await one.claimOne();
    await endLease(id!);
    let sweeping: Promise<unknown> = Promise.resolve();
    await one.transactor.run(async (tx) => {
      await one.claims.record(tx, [event], 'PROCESSED', 1);
      sweeping = other.sweep();
      await waitFor(async () => (await waitingForTransactions()) > 0);
    });
    expect(await sweeping).toEqual([]);
    expect((await attemptsOf(id!)).map(({ outcome }) => outcome)).toEqual(['processed']);
  });

  it('recovers each event once, however many sweep at the same time', async () => {
    await store(200);
    await one.claims.claim(200, 100, 1e9);
    await one.dataSource.query(`UPDATE webhook_events SET next_attempt_at = now() - interval '1 second'`);
    const swept = await Promise.all(Array.from({ length: 6 }, (_, index) => (index % 2 === 0 ? one : other).sweep()));
    expect(new Set(swept.flat().map(({ id }) => id)).size).toBe(200);
    expect(swept.flat()).toHaveLength(200);
  });

  it('removes finished events past the retention with all that belongs to them, and nothing else', async () => {
    const ended = { updated_at: `now() - interval '61 minutes'`, next_attempt_at: 'NULL' };
    const old = { ...ended, created_at: `now() - interval '31 days'` };
    await store(1, { ...old, status: `'PROCESSED'`, processed: 'true' });
    const [dead] = await store(1, { ...old, status: `'DEAD_LETTER'` });
    const [due] = await store(1, { created_at: old.created_at });
    const [young] = await store(1, { ...old, created_at: `now() - interval '29 days'`, status: `'IGNORED'` });
    const [replayed] = await store(1, { ...old, updated_at: `now()`, status: `'IGNORED'` });
    await one.dataSource.query(
      `INSERT INTO webhook_attempts (event, attempt, outcome, started_at, duration_ms, worker)
       SELECT id, 1, 'processed', now(), 1, '' FROM webhook_events`,
    );
    await one.dataSource.query(
      `INSERT INTO webhook_event_conflicts (id, event, payload_hash, raw_body, metadata)
       SELECT gen_random_uuid(), id, '', '', '{}' FROM webhook_events`,
    );
    expect(await one.transactor.run((tx) => one.sweeps.removeOld(tx, 30, 100))).toBe(1);
    const left = await one.dataSource.query<{ event: string; attempt: string; conflict: string }[]>(
      `SELECT e.id AS event, a.event AS attempt, c.event AS conflict
       FROM webhook_events e
       FULL JOIN webhook_attempts a ON a.event = e.id
       FULL JOIN webhook_event_conflicts c ON c.event = e.id
       ORDER BY e.id`,
    );
    expect(left).toEqual([dead, due, young, replayed].map((id) => ({ event: id, attempt: id, conflict: id })));
  });
});

describe('events of one entity', () => {
  const entity = { ordering_key: `'pi_1'` };

  it('are claimed one at a time, oldest first, and the next only when the one before is finished', async () => {
    const [first, second] = await store(2, entity);
    const running = await one.claims.claim(10, 100, 1e9);
    expect(running.map(({ id }) => id)).toEqual([first]);
    expect(await other.claims.claim(10, 100, 1e9)).toEqual([]);
    await one.complete(running[0]!);
    expect((await other.claims.claim(10, 100, 1e9)).map(({ id }) => id)).toEqual([second]);
  });

  it('wait also while the one before waits for its retry', async () => {
    await store(1, { ...entity, status: `'FAILED'`, next_attempt_at: `now() + interval '1 hour'` });
    await store(1, entity);
    expect(await one.claims.claim(10, 100, 1e9)).toEqual([]);
  });

  it('do not wait for one that is a dead letter, of another entity, or of another source', async () => {
    await store(1, { ...entity, status: `'DEAD_LETTER'`, next_attempt_at: 'NULL' });
    await store(1, { ...entity, source: `'stripe-eu'`, next_attempt_at: `now() + interval '1 hour'` });
    await store(1, { ordering_key: `'pi_2'`, next_attempt_at: `now() + interval '1 hour'` });
    const [free] = await store(1, entity);
    expect((await one.claims.claim(10, 100, 1e9)).map(({ id }) => id)).toEqual([free]);
  });

  it('do not run beside a newer one whose insert was committed first', async () => {
    const newer = '99999999-9999-7999-8999-999999999999';
    const values = `'stripe', 'stripe', 'x', 'x', 'test', 'PENDING', '{}', '{}', '', now(), 'pi_1'`;
    await one.dataSource.query(
      `INSERT INTO webhook_events (
         id, source, provider, idempotency_key, event_id, event_type, status, raw_body, metadata, payload_hash, next_attempt_at,
         ordering_key
       ) VALUES ('${newer}', ${values})`,
    );
    const running = await one.claimOne();
    const [older] = await store(1, entity);
    const [unrelated] = await store(1);
    expect((await other.claims.claim(10, 100, 1e9)).map(({ id }) => id)).toEqual([unrelated]);
    await one.complete(running);
    expect((await other.claims.claim(10, 100, 1e9)).map(({ id }) => id)).toEqual([older]);
  });

  it('are given to one of two workers when both are about to claim a different one of them', async () => {
    const [first, second] = await store(2, entity);
    // What the other worker's claim does between its look and its commit.
    const runner = other.dataSource.createQueryRunner();
    await runner.startTransaction();
    const claim = `UPDATE webhook_events SET status = 'PROCESSING', claim_id = gen_random_uuid() WHERE id = $1`;
    await runner.query(claim, [second]);
    const claiming = one.claims.claim(10, 100, 1e9);
    await waitFor(async () => {
      const waiting = await one.dataSource.query<unknown[]>(
        `SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      return waiting.length === 1;
    });
    await runner.commitTransaction();
    await runner.release();
    expect(await claiming).toEqual([]);
    expect((await row(first!)).status).toBe('PENDING');
  });

  it('know that they are stale once one that happened later is done', async () => {
    await store(1, { ...entity, occurred_at: `now() - interval '1 minute'` });
    const older = await one.claimOne();
    expect(await one.claims.current([older])).toEqual(new Map([[older.id, { id: older.id, stale: false }]]));
    const later = { ...entity, occurred_at: `now()`, next_attempt_at: 'NULL' };
    await store(1, { ...later, status: `'DEAD_LETTER'` });
    expect(await one.claims.current([older])).toEqual(new Map([[older.id, { id: older.id, stale: false }]]));
    await store(1, { ...later, status: `'PROCESSED'`, processed: 'true' });
    expect(await one.claims.current([older])).toEqual(new Map([[older.id, { id: older.id, stale: true }]]));
  });
});
