import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { loadConfig } from '../../src/config/index.js';
import { newId } from '../../src/kernel/ids.js';
import { type ClaimedEvent, ClaimsRepository } from '../../src/modules/webhooks/processing/claims.repository.js';
import { ReplayJob } from '../../src/modules/webhooks/replay/replay-job.entity.js';
import { ReplayJobsRepository } from '../../src/modules/webhooks/replay/replay-jobs.repository.js';
import { createDataSource } from '../../src/platform/database/index.js';
import { SecretBox } from '../../src/platform/encryption/index.js';
import { JOB_TIMINGS_OF_PRODUCTION } from '../../src/platform/jobs/job-timings.js';
import { type ClaimedJob, JobsRepository } from '../../src/platform/jobs/jobs.repository.js';
import { Metrics } from '../../src/platform/metrics/index.js';
import { Transactor } from '../../src/platform/transaction/index.js';
import { ClaimLostError, type Claimed, WorkQueue } from '../../src/platform/work-queue/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { waitFor } from '../support/wait-for.js';

const LEASE_MS = 60_000;
const TIMEOUT_MS = 10_000;

interface User {
  readonly table: string;
  readonly dueAt: string;
  /** Whether a claim takes over what a worker left behind. */
  readonly takesOver: boolean;
  /** As it stores what is due since a second; parameter `$1` is the ids. */
  readonly insert: string;
  connect(transactor: Transactor): Connected;
}

interface Connected {
  readonly queue: WorkQueue<Claimed>;
  claim(most: number): Promise<Claimed[]>;
  handBack(claims: Claimed[]): Promise<unknown>;
}

const config = loadConfig({
  ENCRYPTION_KEY: 'c'.repeat(64),
  JWT_SECRET: 'c'.repeat(64),
  WEBHOOK_LEASE_MS: String(LEASE_MS),
});

/** Every queue there is: whoever adds one adds it here. */
const USERS: readonly User[] = [
  {
    table: 'jobs',
    dueAt: 'due_at',
    takesOver: true,
    insert: `
      INSERT INTO jobs (id, kind, payload, due_at)
      SELECT id, 'work', '', now() - interval '1 second' FROM unnest($1::uuid[]) AS id`,
    connect(transactor) {
      const timings = { ...JOB_TIMINGS_OF_PRODUCTION, lease: LEASE_MS, drain: 0 };
      const jobs = new JobsRepository(transactor, new SecretBox(Buffer.alloc(32)), timings);
      return {
        queue: jobs,
        claim: (most) => jobs.claim([{ kind: 'work', free: most }]),
        handBack: (claims: ClaimedJob[]) => Promise.all(claims.map((job) => jobs.putBack(job, 0, null))),
      };
    },
  },
  {
    table: 'webhook_events',
    dueAt: 'next_attempt_at',
    takesOver: false,
    insert: `
      INSERT INTO webhook_events (
        id, source, provider, idempotency_key, event_id, event_type, status, raw_body, metadata, payload_hash, next_attempt_at
      )
      SELECT id, 's', 'stripe', id, id, 't', 'PENDING', '{}', '{}', '', now() - interval '1 second' FROM unnest($1::uuid[]) AS id`,
    connect(transactor) {
      const claims = new ClaimsRepository(config, transactor);
      return {
        queue: claims,
        claim: (most) => claims.claim(most, most, 1e9),
        handBack: (events: ClaimedEvent[]) => claims.release(events),
      };
    },
  },
];

let database: TestDatabase;
let one: DataSource;
let other: DataSource;

beforeAll(async () => {
  database = await createTestDatabase();
  const connect = () =>
    createDataSource(
      database.url,
      { entities: [ReplayJob], migrations: [] },
      { poolSize: 8, poolTimeoutMs: 5000, statementTimeoutMs: 20_000 },
    ).initialize();
  [one, other] = await Promise.all([connect(), connect()]);
  await one.query('CREATE TABLE effects (work uuid)');
});

afterAll(async () => {
  await Promise.all([one, other].map((each) => each?.destroy()));
  await database?.drop();
});

describe.each(USERS)('the queue in $table', ({ table, dueAt, takesOver, insert, connect }) => {
  let here: Connected;
  let there: Connected;

  beforeAll(() => {
    here = connect(new Transactor(one, new Metrics()));
    there = connect(new Transactor(other, new Metrics()));
  });

  beforeEach(() => one.query(`TRUNCATE ${table}, effects CASCADE`));

  async function store(count: number): Promise<string[]> {
    const ids = Array.from({ length: count }, () => newId());
    await one.query(insert, [ids]);
    return ids;
  }

  /** @param interval from now, as PostgreSQL writes it */
  function dueIn(interval: string, ids: readonly string[]): Promise<unknown> {
    return one.query(`UPDATE ${table} SET ${dueAt} = now() + $1::interval WHERE id = ANY ($2)`, [interval, ids]);
  }

  async function secondsLeft(id: string): Promise<number> {
    const sql = `SELECT extract(epoch FROM ${dueAt} - clock_timestamp())::float8 AS seconds FROM ${table} WHERE id = $1`;
    const [row] = await one.query<{ seconds: number }[]>(sql, [id]);
    return row?.seconds ?? NaN;
  }

  async function claimOne(): Promise<Claimed> {
    const [claim] = await here.claim(1);
    if (!claim) throw new Error('Nothing is due');
    return claim;
  }

  /** As if a second worker had it. */
  function steal({ id }: Claimed): Promise<unknown> {
    return other.query(`UPDATE ${table} SET claim_id = gen_random_uuid() WHERE id = $1`, [id]);
  }

  async function whileHeld<T>(id: string, work: () => Promise<T>): Promise<T> {
    const runner = other.createQueryRunner();
    await runner.startTransaction();
    try {
      await runner.query(`SELECT FROM ${table} WHERE id = $1 FOR UPDATE`, [id]);
      return await work();
    } finally {
      await runner.rollbackTransaction();
      await runner.release();
    }
  }

  const effects = async () => (await one.query<{ work: string }[]>('SELECT work FROM effects')).map(({ work }) => work);

  const finish = (claim: Claimed, before: () => Promise<unknown> = async () => undefined) =>
    here.queue.finishWith(claim, `DELETE FROM ${table}`, TIMEOUT_MS, async (tx) => {
      await tx.query('INSERT INTO effects VALUES ($1)', [claim.id]);
      await before();
    });

  const idsOf = (claims: readonly { id: string }[]) => claims.map(({ id }) => id);

  describe('a claim', () => {
    it('is given to exactly one of many workers that ask at the same time', async () => {
      const ids = await store(100);
      const asked = Array.from({ length: 16 }, (_, n) => (n % 2 === 0 ? here : there).claim(10));
      const claimed = idsOf([...(await Promise.all(asked)).flat(), ...(await here.claim(100))]);
      expect(claimed.toSorted()).toEqual(ids);
    });

    it('takes what has been due longest, as far as there is room, and nothing that is not due', async () => {
      const [late, early, notYet] = await store(3);
      await dueIn('-1 hour', [early!]);
      await dueIn('1 hour', [notYet!]);
      expect(idsOf(await here.claim(1))).toEqual([early]);
      expect(idsOf(await here.claim(10))).toEqual([late]);
    });

    it('passes over what somebody holds instead of waiting for it', async () => {
      const [held, free] = await store(2);
      expect(idsOf(await whileHeld(held!, () => here.claim(10)))).toEqual([free]);
    });

    it('lasts for the lease, and can be found while it is ours', async () => {
      await store(1);
      const claim = await claimOne();
      const left = await secondsLeft(claim.id);
      expect(left).toBeGreaterThan(LEASE_MS / 1000 - 5);
      expect(left).toBeLessThanOrEqual(LEASE_MS / 1000);
      expect(claim.takenOver).toBe(false);
      expect(await there.claim(10)).toEqual([]);
      expect(await here.queue.claimed(claim.id, claim.claimId)).toEqual(claim);
      await steal(claim);
      expect(await here.queue.claimed(claim.id, claim.claimId)).toBeUndefined();
    });

    it(`whose lease has ended is ${takesOver ? 'taken over by the next' : 'left to the sweep'}`, async () => {
      await store(1);
      const { id, claimId } = await claimOne();
      await dueIn('-1 second', [id]);
      const next = await there.claim(10);
      expect(next).toMatchObject(takesOver ? [{ id, takenOver: true }] : []);
      expect(await here.queue.claimed(id, claimId)).toEqual(takesOver ? undefined : expect.objectContaining({ id }));
    });

    it('that is handed back is due at once; one that was lost stays with whoever has it', async () => {
      await store(2);
      const [mine, lost] = await here.claim(2);
      await steal(lost!);
      await here.handBack([mine!, lost!]);
      expect(idsOf(await there.claim(10))).toEqual([mine!.id]);
    });
  });

  describe('a heartbeat', () => {
    it('prolongs what is ours, and tells what is not', async () => {
      await store(2);
      const [mine, lost] = await here.claim(2);
      await dueIn('1 second', [mine!.id, lost!.id]);
      await steal(lost!);
      expect(await here.queue.extend([mine!, lost!])).toEqual(new Set([mine!.claimId]));
      expect(await secondsLeft(mine!.id)).toBeGreaterThan(LEASE_MS / 1000 - 5);
      expect(await secondsLeft(lost!.id)).toBeLessThan(5);
    });

    it('waits for no transaction, and takes what is in one for alive', async () => {
      await store(2);
      const [busy, free] = await here.claim(2);
      await dueIn('1 second', [free!.id]);
      const ours = await whileHeld(busy!.id, () => here.queue.extend([busy!, free!]));
      expect(ours).toEqual(new Set([busy!.claimId, free!.claimId]));
      expect(await secondsLeft(free!.id)).toBeGreaterThan(5);
    });
  });

  describe('an effect in the transaction of its end', () => {
    it('happens once, also when a heartbeat has moved the row', async () => {
      await store(1);
      const claim = await claimOne();
      await here.queue.extend([claim]);
      await finish(claim);
      expect(await effects()).toEqual([claim.id]);
      await expect(finish(claim)).rejects.toThrow(ClaimLostError);
      expect(await effects()).toEqual([claim.id]);
    });

    it('does not begin once the claim is lost', async () => {
      await store(1);
      const claim = await claimOne();
      await steal(claim);
      let begun = false;
      const begin = async () => (begun = true);
      await expect(finish(claim, begin)).rejects.toThrow(ClaimLostError);
      // Its row may lie where it lay: another's claim on it is no claim of ours.
      const [row] = await one.query<{ place: string }[]>(`SELECT ctid::text AS place FROM ${table}`);
      await expect(finish({ ...claim, ...row }, begin)).rejects.toThrow(ClaimLostError);
      expect(begun).toBe(false);
    });

    it('keeps everybody else from the row, and leaves it claimed when it fails', async () => {
      await store(1);
      const claim = await claimOne();
      await dueIn('-1 second', [claim.id]);
      const failing = finish(claim, async () => {
        expect(await there.claim(10)).toEqual([]);
        throw new Error('after all not');
      });
      await expect(failing).rejects.toThrow('after all not');
      expect(await effects()).toEqual([]);
      expect(await here.queue.claimed(claim.id, claim.claimId)).toBeDefined();
    });

    it('is ended by PostgreSQL when a statement of it takes too long', async () => {
      await store(1);
      const claim = await claimOne();
      const tooLong = here.queue.finishWith(claim, `DELETE FROM ${table}`, 50, (tx) => tx.query('SELECT pg_sleep(20)'));
      await expect(tooLong).rejects.toThrow('statement timeout');
      expect(await here.queue.claimed(claim.id, claim.claimId)).toBeDefined();
    });
  });

  it('says how long it is, and how long what is due has waited', async () => {
    const empty = await here.queue.length();
    expect(empty).toEqual({ waiting: 0, running: 0, age: 0 });
    const [overdue, later] = await store(3);
    await dueIn('-1 hour', [overdue!]);
    await dueIn('1 hour', [later!]);
    const { waiting, running, age } = await here.queue.length();
    expect({ waiting, running }).toEqual({ waiting: 3, running: 0 });
    expect(age).toBeGreaterThan(3599);
    await here.claim(1);
    await waitFor(async () => (await here.queue.length()).age < 60);
    expect(await here.queue.length()).toMatchObject({ waiting: 2, running: 1 });
  });
});

describe('work that is done within one transaction: replay jobs', () => {
  const repositoryOf = (dataSource: DataSource) => new ReplayJobsRepository(dataSource.getRepository(ReplayJob));

  it('is taken by one worker each, what has waited longest first, and by another once that transaction is over', async () => {
    const [first, second] = [newId(), newId()];
    await one.query(
      `INSERT INTO webhook_replay_jobs (id, filter, dry_run, rate_per_second, status, total, created_by, updated_at)
       VALUES ($1, '{}', false, 1, 'RUNNING', 1, '', now() - interval '2 minutes'),
              ($2, '{}', false, 1, 'QUEUED', 1, '', now() - interval '1 minute'),
              (gen_random_uuid(), '{}', false, 1, 'RUNNING', 1, '', now() + interval '1 minute'),
              (gen_random_uuid(), '{}', false, 1, 'COMPLETED', 1, '', now() - interval '3 minutes')`,
      [first, second],
    );
    const [here, there] = [repositoryOf(one), repositoryOf(other)];
    await one.transaction(async (tx) => {
      expect(await here.takeDue(tx, 1000)).toMatchObject({ id: first });
      await other.transaction(async (rival) => {
        expect(await there.takeDue(rival, 1000)).toMatchObject({ id: second });
        expect(await one.transaction((third) => here.takeDue(third, 1000))).toBeNull();
      });
    });
    expect(await other.transaction((tx) => there.takeDue(tx, 1000))).toMatchObject({ id: first });
  });
});
