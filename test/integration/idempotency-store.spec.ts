import { randomBytes } from 'node:crypto';
import { SchedulerRegistry } from '@nestjs/schedule';
import { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createDataSource } from '../../src/platform/database/index.js';
import { AttemptsInFlight, ClaimLostError } from '../../src/platform/idempotency/attempts-in-flight.js';
import type { AnswerContent, IdempotencyClaim } from '../../src/platform/idempotency/index.js';
import { IdempotencyStore, type Ownership } from '../../src/platform/idempotency/idempotency-store.js';
import { Metrics } from '../../src/platform/metrics/index.js';
import { RepeatingTasks } from '../../src/platform/schedule/index.js';
import { Transactor } from '../../src/platform/transaction/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { waitFor } from '../support/wait-for.js';

const LOCK_MS = 60_000;
const ANSWER: AnswerContent = { status: 201, contentType: 'application/json; charset=utf-8', body: '{"a":"é"}' };

let database: TestDatabase;
let dataSource: DataSource;
let store: IdempotencyStore;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = createDataSource(
    database.url,
    { entities: [], migrations: [] },
    { poolSize: 12, poolTimeoutMs: 5000, statementTimeoutMs: 10_000 },
  );
  await dataSource.initialize();
  store = storeWithLockOf(LOCK_MS);
});

afterAll(async () => {
  await dataSource?.destroy();
  await database?.drop();
});

function storeWithLockOf(lockMs: number): IdempotencyStore {
  const config = { IDEMPOTENCY_TTL_HOURS: 24, IDEMPOTENCY_LOCK_MS: lockMs };
  return new IdempotencyStore(config, dataSource, new Transactor(dataSource, new Metrics()));
}

function newClaim(): IdempotencyClaim {
  const random = randomBytes(32).toString('hex');
  return { scope: 'user:1:POST:/api/things', key: random.slice(0, 32), fingerprint: random };
}

const another = (claim: IdempotencyClaim) => ({ ...claim, fingerprint: newClaim().fingerprint });

async function acquired(claim: IdempotencyClaim, by = store): Promise<Ownership & { resumed: boolean }> {
  const acquisition = await by.acquire(claim);
  if ('known' in acquisition) throw new Error(`It is ${acquisition.known.state}`);
  return acquisition;
}

/** As if the time had passed. */
async function set({ scope, key }: IdempotencyClaim, assignment: string): Promise<void> {
  await dataSource.query(`UPDATE idempotency_records SET ${assignment} WHERE scope = $1 AND key = $2`, [scope, key]);
}

const endLock = (claim: IdempotencyClaim) => set(claim, 'locked_until = clock_timestamp()');

describe('IdempotencyStore', () => {
  it('gives a free key to one of thirty attempts at once', async () => {
    const claim = newClaim();
    const acquisitions = await Promise.all(Array.from({ length: 30 }, () => store.acquire(claim)));
    const owners = acquisitions.filter((each) => 'owner' in each);
    expect(owners).toHaveLength(1);
    expect(owners[0]).toMatchObject({ claim, resumed: false });
    const known = acquisitions.flatMap((each) => ('known' in each ? [each.known] : []));
    expect(known).toEqual(known.map(() => ({ state: 'in_flight', fingerprint: claim.fingerprint, retryAfter: 1 })));
  });

  it('tells the answer, once there is one', async () => {
    const claim = newClaim();
    const createdAt = await store.complete(await acquired(claim), ANSWER);
    expect(createdAt).toBeInstanceOf(Date);
    expect(await store.acquire(claim)).toEqual({
      known: { state: 'completed', fingerprint: claim.fingerprint, answer: expect.objectContaining(ANSWER) },
    });
    expect(await store.acquire(another(claim))).toMatchObject({ known: { fingerprint: claim.fingerprint } });
  });

  it('gives a key that was released to the next, who starts anew, whatever it asks for', async () => {
    const claim = newClaim();
    await store.release(await acquired(claim));
    expect(await store.find(claim)).toBeUndefined();
    expect(await acquired(another(claim))).toMatchObject({ resumed: false });
  });

  it('lets the same request resume once the lock has ended, and no other', async () => {
    const claim = newClaim();
    await acquired(claim);
    await endLock(claim);
    expect(await store.acquire(another(claim))).toMatchObject({
      known: { state: 'in_flight', fingerprint: claim.fingerprint },
    });
    expect(await acquired(claim)).toMatchObject({ resumed: true });
    expect(await store.acquire(claim)).toMatchObject({ known: { state: 'in_flight' } });
  });

  it('lets one of thirty take over at once', async () => {
    const claim = newClaim();
    await acquired(claim);
    await endLock(claim);
    const acquisitions = await Promise.all(Array.from({ length: 30 }, () => store.acquire(claim)));
    expect(acquisitions.filter((each) => 'owner' in each)).toHaveLength(1);
  });

  it('lets an owner that was taken over from neither complete, nor extend, nor release', async () => {
    const claim = newClaim();
    const first = await acquired(claim);
    await endLock(claim);
    const second = await acquired(claim);
    expect(await store.complete(first, { ...ANSWER, body: 'late' })).toBeUndefined();
    expect(await store.extend([first, second])).toEqual(new Set([second.owner]));
    await store.release(first);
    expect(await store.complete(second, ANSWER)).toBeInstanceOf(Date);
    expect(await store.complete(first, { ...ANSWER, body: 'later' })).toBeUndefined();
    expect(await store.find(claim)).toMatchObject({ state: 'completed', answer: ANSWER });
  });

  it('lets an owner complete after its lock has ended when nobody has taken over', async () => {
    const claim = newClaim();
    const attempt = await acquired(claim);
    await endLock(claim);
    expect(await store.complete(attempt, ANSWER)).toBeInstanceOf(Date);
  });

  it('keeps the key of an owner that extends its lock', async () => {
    const claim = newClaim();
    const attempt = await acquired(claim);
    await endLock(claim);
    await store.extend([attempt]);
    expect(await store.acquire(claim)).toMatchObject({ known: { state: 'in_flight', fingerprint: claim.fingerprint } });
  });

  it('asks to wait as long again as the attempt has been working, and not beyond its lock', async () => {
    const claim = newClaim();
    await acquired(claim);
    const begun = (seconds: number) =>
      set(claim, `expires_at = clock_timestamp() + interval '24 hours' - interval '${seconds} seconds'`);
    const locked = (seconds: number) => set(claim, `locked_until = clock_timestamp() + interval '${seconds} seconds'`);
    await begun(0.2);
    expect(await store.find(claim)).toMatchObject({ retryAfter: 1 });
    await begun(12.5);
    await locked(50);
    expect(await store.find(claim)).toMatchObject({ retryAfter: 13 });
    await begun(900);
    expect(await store.find(claim)).toMatchObject({ retryAfter: 50 });
    await locked(-1);
    expect(await store.find(claim)).toMatchObject({ retryAfter: 1 });
  });

  it('counts the time of the attempt at work, not of one that was cut off before it', async () => {
    const claim = newClaim();
    await acquired(claim);
    await set(
      claim,
      `created_at = now() - interval '5 hours', expires_at = now() + interval '19 hours', locked_until = now()`,
    );
    expect(await acquired(claim)).toMatchObject({ resumed: true });
    expect(await store.find(claim)).toMatchObject({ state: 'in_flight', retryAfter: 1 });
  });

  it('takes an expired key for a free one, unless somebody is at work', async () => {
    const claim = newClaim();
    const attempt = await acquired(claim);
    await set(claim, 'expires_at = now()');
    expect(await store.acquire(another(claim))).toMatchObject({ known: { state: 'in_flight' } });
    await store.complete(attempt, ANSWER);
    await set(claim, 'expires_at = now()');
    const anew = another(claim);
    expect(await acquired(anew)).toMatchObject({ resumed: false });
    expect(await store.find(anew)).toMatchObject({ state: 'in_flight', fingerprint: anew.fingerprint });
  });
});

describe('AttemptsInFlight', () => {
  const ends: (() => void)[] = [];

  afterEach(() => {
    for (const end of ends.splice(0)) end();
  });

  function attemptsWith(lockMs: number, by: Pick<IdempotencyStore, 'extend'>): AttemptsInFlight {
    const attempts = new AttemptsInFlight({ IDEMPOTENCY_LOCK_MS: lockMs }, by);
    const tasks = new RepeatingTasks({ role: 'all' }, new SchedulerRegistry());
    tasks.begin(attempts);
    ends.push(
      () => void tasks.beforeApplicationShutdown(),
      () => attempts.onApplicationShutdown(),
    );
    return attempts;
  }

  it('keep their locks for as long as they last', async () => {
    const lockMs = 1500;
    const short = storeWithLockOf(lockMs);
    const attempts = attemptsWith(lockMs, short);
    const claim = newClaim();
    const attempt = await acquired(claim, short);
    const signal = attempts.hold(attempt, performance.now());
    const heldSince = performance.now();
    await waitFor(async () => {
      expect(await short.acquire(claim)).toMatchObject({ known: { state: 'in_flight' } });
      return performance.now() - heldSince > 3 * lockMs;
    });
    expect(signal.aborted).toBe(false);
    attempts.drop(attempt);
    await waitFor(async () => 'owner' in (await short.acquire(claim)));
  });

  it('learn from a renewal that another has taken over, before their lock would have ended', async () => {
    const lockMs = 3000;
    const short = storeWithLockOf(lockMs);
    const attempts = attemptsWith(lockMs, short);
    const claim = newClaim();
    const heldAt = performance.now();
    const signal = attempts.hold(await acquired(claim, short), heldAt);
    await endLock(claim);
    await acquired(claim);
    await waitFor(() => signal.aborted);
    expect(signal.reason).toBeInstanceOf(ClaimLostError);
    expect(performance.now() - heldAt).toBeLessThan(lockMs);
  });

  it('give up by their own clock when no renewal gets through', async () => {
    const hanging = { extend: () => new Promise<never>(() => undefined) };
    const attempts = attemptsWith(600, hanging);
    const heldAt = performance.now();
    const signal = attempts.hold({ claim: newClaim(), owner: 'nobody' }, heldAt);
    await waitFor(() => signal.aborted);
    expect(performance.now() - heldAt).toBeGreaterThanOrEqual(599);
  });
});
