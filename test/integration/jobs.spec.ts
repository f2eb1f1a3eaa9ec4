import { setTimeout as sleep } from 'node:timers/promises';
import type { EntityManager } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type Job, JobGivenUpError, Jobs, type NewJob } from '../../src/platform/jobs/index.js';
import { JobsRepository } from '../../src/platform/jobs/jobs.repository.js';
import { Transactor } from '../../src/platform/transaction/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { JobProcess, type JobProcessOptions, recordLog } from '../support/job-process.js';
import { sql } from '../support/sql.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { waitFor } from '../support/wait-for.js';

interface Row {
  id: string;
  kind: string;
  state: string;
  payload: Buffer | null;
  attempts: number;
  abandoned: number;
  error: string | null;
  claimed_by: string | null;
  /** Seconds from now. */
  due_in: number | null;
}

let database: TestDatabase;
let processes: JobProcess[] = [];
let log: ReturnType<typeof recordLog>;

beforeAll(async () => {
  database = await createTestDatabase();
  // Without any unique key, so that an effect that happened twice is two rows.
  await sql(database.url, 'CREATE TABLE effects (job uuid, attempt integer, at timestamptz DEFAULT clock_timestamp())');
});

afterAll(() => database?.drop());

beforeEach(async () => {
  log = recordLog();
  await sql(database.url, 'TRUNCATE jobs, effects');
});

afterEach(async () => {
  await Promise.all(processes.splice(0).map((each) => each.stop()));
});

async function start(register?: (jobs: Jobs) => void, options?: JobProcessOptions): Promise<JobProcess> {
  const started = await JobProcess.start(database.url, register, options);
  processes.push(started);
  return started;
}

const FINISHED = 'holdfast_jobs_finished_total';
const WITHOUT_WAITING = { backoff: { baseMs: 1, capMs: 1 } };
const work = { kind: 'work', payload: {} };

function rows(): Promise<Row[]> {
  return sql<Row & Record<string, unknown>>(
    database.url,
    'SELECT *, extract(epoch FROM due_at - clock_timestamp())::float8 AS due_in FROM jobs ORDER BY id',
  );
}

async function onlyRow(): Promise<Row> {
  const [row, ...more] = await rows();
  if (!row || more.length > 0) throw new Error('There is not exactly one job');
  return row;
}

function effects(): Promise<{ job: string; attempt: number }[]> {
  return sql(database.url, 'SELECT job, attempt FROM effects ORDER BY job, attempt');
}

async function effect(tx: EntityManager, { id, attempt }: Job): Promise<void> {
  await tx.query('INSERT INTO effects VALUES ($1, $2)', [id, attempt]);
}

/** As a failed attempt leaves them. */
function enqueueNotYetDue(at: JobProcess, wait: string, ...jobs: NewJob[]): Promise<string[]> {
  return at.get(Transactor).run(async (tx) => {
    const ids = await at.get(Jobs).enqueue(tx, jobs);
    await tx.query('UPDATE jobs SET due_at = due_at + $1::interval WHERE id = ANY ($2)', [wait, ids]);
    return ids;
  });
}

/** How many jobs ended so. Others see a commit before the worker hears of it and counts. */
function finished(at: JobProcess, outcome: string): Promise<number> {
  return waitFor(() => at.count(FINISHED, { kind: 'work', outcome }));
}

const allDone = () => waitFor(async () => (await rows()).length === 0, { what: 'no job is left' });

describe('a job in a transaction', () => {
  it('has its effect once, and leaves nothing behind', async () => {
    const here = await start((jobs) => jobs.handleInTransaction('work', effect));
    const [id] = await here.enqueue(work);
    await allDone();
    expect(await effects()).toEqual([{ job: id, attempt: 1 }]);
    expect(await finished(here, 'done')).toBe(1);
  });

  it('has it once with two workers at it, slow ones and fast ones, each beyond its lease', async () => {
    const register = (jobs: Jobs) =>
      jobs.handleInTransaction(
        'work',
        async (tx, job) => {
          await effect(tx, job);
          if (job.payload['slow'] === true) await sleep(500);
        },
        { concurrency: 6 },
      );
    const timings = { lease: 300 };
    const [one] = await Promise.all([start(register, { timings }), start(register, { timings })]);
    const ids = await one.enqueue(
      ...Array.from({ length: 80 }, (_, n) => ({ kind: 'work', payload: { slow: n % 20 === 0 } })),
    );
    await allDone();
    expect((await effects()).map(({ job }) => job)).toEqual(ids.toSorted());
  });

  it('has none when its handler fails, and one when the next attempt succeeds', async () => {
    const register = (jobs: Jobs) =>
      jobs.handleInTransaction(
        'work',
        async (tx, job) => {
          await effect(tx, job);
          if (job.attempt < 3) throw new Error('not yet');
        },
        WITHOUT_WAITING,
      );
    const here = await start(register);
    const [id] = await here.enqueue(work);
    await allDone();
    expect(await effects()).toEqual([{ job: id, attempt: 3 }]);
    expect(await here.count(FINISHED, { kind: 'work', outcome: 'retried' })).toBe(2);
  });

  it('loses its transaction when its time is up, even if it never returns', async () => {
    const register = (jobs: Jobs) =>
      jobs.handleInTransaction(
        'work',
        async (tx, job) => {
          await effect(tx, job);
          if (job.attempt === 1) await new Promise(() => undefined);
        },
        { ...WITHOUT_WAITING, timeoutMs: 1000 },
      );
    const [id] = await (await start(register)).enqueue(work);
    await allDone();
    expect(await effects()).toEqual([{ job: id, attempt: 2 }]);
  });

  it('has no effect once another worker has the job', async () => {
    let stolen = false;
    const register = (jobs: Jobs) =>
      jobs.handleInTransaction('work', async (tx, job) => {
        await effect(tx, job);
        if (stolen) return;
        stolen = true;
        // As a holder of the row can: nobody else gets past its lock.
        await tx.query('UPDATE jobs SET claim_id = gen_random_uuid() WHERE id = $1', [job.id]);
      });
    const here = await start(register);
    await here.enqueue(work);
    await finished(here, 'lost');
    expect(await effects()).toEqual([]);
    expect(await here.count(FINISHED, { kind: 'work', outcome: 'done' })).toBe(0);
  });
});

describe('a job', () => {
  it('is there if and only if the transaction that enqueued it committed', async () => {
    const seen: string[] = [];
    const here = await start((jobs) => jobs.handle('work', async ({ id }) => void seen.push(id)));
    const rolledBack = here.get(Transactor).run(async (tx) => {
      await here.get(Jobs).enqueue(tx, [work]);
      await sleep(100);
      throw new Error('rolled back');
    });
    await expect(rolledBack).rejects.toThrow('rolled back');
    let enqueued = '';
    await here.get(Transactor).run(async (tx) => {
      enqueued = (await here.get(Jobs).enqueue(tx, [work])).join();
      await sleep(100);
      expect(seen).toEqual([]);
    });
    await allDone();
    expect(seen).toEqual([enqueued]);
  });

  it('brings its payload, integers beyond 2^53 included, and its age', async () => {
    const seen: Job[] = [];
    const here = await start((jobs) => jobs.handle('work', async (job) => void seen.push(job)));
    const payload = { text: 'ä\n', list: [1, null, true], big: 2n ** 60n };
    const [id] = await here.enqueue({ kind: 'work', payload });
    await allDone();
    expect(seen).toMatchObject([{ id, kind: 'work', payload, attempt: 1, createdAt: expect.any(Date) }]);
  });

  it('is stored without a readable payload', async () => {
    const here = await start();
    await here.enqueue({ kind: 'work', payload: { to: 'anna@example.com', link: 'https://a.example/?token=abc' } });
    const [row] = await sql<{ whole: string; payload: Buffer }>(
      database.url,
      'SELECT jobs::text AS whole, payload FROM jobs',
    );
    expect(row?.whole).not.toContain('anna');
    expect(row?.payload.toString('latin1')).not.toMatch(/anna|token/);
    expect(row?.payload.toString('latin1')).not.toContain(Buffer.from('anna').toString('base64').slice(0, 4));
  });

  it('waits until it is due, and for its turn: oldest due first', async () => {
    const seen: unknown[] = [];
    const register = (jobs: Jobs) =>
      jobs.handle('work', async ({ payload }) => void seen.push(payload['n']), { concurrency: 1 });
    const writer = await start();
    await enqueueNotYetDue(writer, '1 minute', { kind: 'work', payload: { n: 3 } });
    await writer.enqueue({ kind: 'work', payload: { n: 1 } });
    await writer.enqueue({ kind: 'work', payload: { n: 2 } });
    await start(register);
    await waitFor(() => seen.length === 2);
    expect((await onlyRow()).due_in).toBeGreaterThan(30);
    await sql(database.url, 'UPDATE jobs SET due_at = now()');
    await allDone();
    expect(seen).toEqual([1, 2, 3]);
  });

  it.each([-1, NaN, Infinity])('cannot expire in %d ms', async (expiresInMs) => {
    const here = await start();
    await expect(here.enqueue({ ...work, expiresInMs })).rejects.toThrow(RangeError);
  });

  it('of a kind that nobody handles here is left to others, and to no process that only answers requests', async () => {
    const here = await start((jobs) => jobs.handle('other', async () => undefined));
    await start((jobs) => jobs.handle('work', async () => undefined), { env: { ROLE: 'api' } });
    await here.enqueue(work, { kind: 'other', payload: {} });
    await waitFor(async () => (await rows()).length === 1);
    await sleep(100);
    expect(await onlyRow()).toMatchObject({ kind: 'work', state: 'WAITING', attempts: 0 });
  });

  it('runs beside no more of its kind than may', async () => {
    let running = 0;
    let most = 0;
    const register = (jobs: Jobs) =>
      jobs.handle(
        'work',
        async () => {
          most = Math.max(most, ++running);
          await sleep(20);
          running--;
        },
        { concurrency: 3 },
      );
    const here = await start(register);
    await here.enqueue(...Array.from({ length: 20 }, () => work));
    await allDone();
    expect(most).toBe(3);
  });
});

describe('a job outside the database', () => {
  it('is renewed while it goes on, so that nobody takes it over', async () => {
    const attempts: number[] = [];
    const register = (jobs: Jobs) =>
      jobs.handle('work', async ({ attempt }) => {
        attempts.push(attempt);
        await sleep(3500);
      });
    const timings = { lease: 1000 };
    const here = await start(register, { timings });
    await start(register, { timings });
    await here.enqueue(work);
    await allDone();
    expect(attempts).toEqual([1]);
  });

  it('hears that its time is up, and is tried again', async () => {
    const reasons: unknown[] = [];
    const register = (jobs: Jobs) =>
      jobs.handle(
        'work',
        async ({ attempt, signal }) => {
          if (attempt > 1) return;
          signal.addEventListener('abort', () => reasons.push(String(signal.reason)));
          await new Promise(() => undefined);
        },
        { ...WITHOUT_WAITING, timeoutMs: 50 },
      );
    await (await start(register)).enqueue(work);
    await allDone();
    expect(reasons).toEqual(['JobTimeoutError: The job took longer than 50 ms']);
  });

  it('hears that it was taken over, and does not count as done', async () => {
    const here = await start(
      (jobs) =>
        jobs.handle('work', async ({ signal }) => {
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
        }),
      { timings: { lease: 100 } },
    );
    await here.enqueue(work);
    await waitFor(async () => (await onlyRow()).state === 'RUNNING');
    const taken = `UPDATE jobs SET claim_id = gen_random_uuid(), due_at = now() + interval '1 hour'`;
    await sql(database.url, taken);
    await finished(here, 'lost');
    expect((await onlyRow()).state).toBe('RUNNING');
  });
});

describe('a worker that is killed', () => {
  /** Claims and is never heard of again. */
  async function claimAndDie(): Promise<void> {
    const dying = await start();
    const claimed = await dying.get(JobsRepository).claim([{ kind: 'work', free: 10 }]);
    expect(claimed).toHaveLength(1);
  }

  it('costs the job no more than the lease', async () => {
    const writer = await start();
    const [id] = await writer.enqueue(work);
    await claimAndDie();
    const [lease] = await sql<{ ends: Date }>(database.url, 'SELECT due_at AS ends FROM jobs');
    const other = await start((jobs) => jobs.handleInTransaction('work', effect));
    await allDone();
    expect(await effects()).toEqual([{ job: id, attempt: 2 }]);
    const waited = 'SELECT extract(epoch FROM at - $1)::float8 AS seconds FROM effects';
    const [{ seconds } = { seconds: NaN }] = await sql<{ seconds: number }>(database.url, waited, [lease?.ends]);
    expect(seconds).toBeGreaterThan(0);
    expect(seconds).toBeLessThan(5);
    expect(await other.count(FINISHED, { kind: 'work', outcome: 'abandoned' })).toBe(1);
  });

  it('by the job itself, again and again, is not killed for ever', async () => {
    const writer = await start();
    await writer.enqueue(work);
    await sql(database.url, 'UPDATE jobs SET abandoned = 9');
    await claimAndDie();
    await start((jobs) => jobs.handleInTransaction('work', effect));
    await waitFor(async () => (await onlyRow()).state === 'GIVEN_UP');
    expect(await onlyRow()).toMatchObject({
      abandoned: 10,
      error: expect.stringContaining('did not come back 10 times'),
    });
    expect(await effects()).toEqual([]);
  });
});

describe('a job that fails', () => {
  const fail = async () => {
    throw new Error('550 <anna@example.com> https://a.example/verify?token=abcdef sk_live_abcdefghijkl');
  };

  it('waits twice as long each time', async () => {
    const register = (jobs: Jobs) => jobs.handle('work', fail, { backoff: { baseMs: 60_000, capMs: 200_000 } });
    const here = await start(register);
    await here.enqueue(work);
    for (const [attempts, seconds] of [
      [1, 60],
      [2, 120],
      [3, 200],
    ] as const) {
      const row = await waitFor(async () => (await rows()).find((each) => each.attempts === attempts));
      expect(Math.abs((row.due_in ?? 0) - seconds)).toBeLessThanOrEqual(seconds * 0.2 + 2);
      await sql(database.url, 'UPDATE jobs SET due_at = now()');
    }
  });

  it.each([
    [
      'at once when its handler says so',
      async () => Promise.reject(new JobGivenUpError('no')),
      1,
      'JobGivenUpError: no',
    ],
    ['after its last attempt', fail, 2, 'Error: 550 <[redacted]> [redacted] [redacted]'],
  ])('is given up %s, and kept without its payload', async (_, handler, attempts, error) => {
    const register = (jobs: Jobs) => jobs.handle('work', handler, { ...WITHOUT_WAITING, maxAttempts: 2 });
    const here = await start(register);
    await here.enqueue({ kind: 'work', payload: { to: 'bert@example.com' } });
    await waitFor(async () => (await onlyRow()).state === 'GIVEN_UP');
    expect(await onlyRow()).toMatchObject({ attempts, error, payload: null, due_in: null, claimed_by: null });
    expect(await finished(here, 'given_up')).toBe(1);
    expect(log.lines).toContainEqual(expect.objectContaining({ msg: 'A job was given up', kind: 'work', error }));
    expect(log.text()).not.toMatch(/anna|bert|abcdef/);
  });

  it('is removed 30 days after it was given up, and not before', async () => {
    const here = await start((jobs) => jobs.handle('work', fail, { maxAttempts: 1 }));
    await here.enqueue(work, work);
    await waitFor(async () => (await rows()).every(({ state }) => state === 'GIVEN_UP'));
    const [kept, old] = await rows();
    await sql(
      database.url,
      `UPDATE jobs SET given_up_at = now() - interval '30 days' + interval '1 minute' WHERE id = $1`,
      [kept?.id],
    );
    await sql(database.url, `UPDATE jobs SET given_up_at = now() - interval '30 days 1 second' WHERE id = $1`, [
      old?.id,
    ]);
    await waitFor(async () => (await rows()).length === 1);
    expect((await onlyRow()).id).toBe(kept?.id);
  });
});

describe('a job that expires', () => {
  it('is given up without being done, whoever handles its kind, and says why it came to that', async () => {
    const here = await start((jobs) => jobs.handleInTransaction('work', effect));
    await enqueueNotYetDue(
      here,
      '200 milliseconds',
      { ...work, expiresInMs: 100 },
      { kind: 'unknown', payload: {}, expiresInMs: 100 },
    );
    await waitFor(async () => (await rows()).every(({ state }) => state === 'GIVEN_UP'));
    expect(await rows()).toMatchObject([
      { payload: null, error: 'It was not done before it expired' },
      { payload: null, error: 'It was not done before it expired' },
    ]);
    await sleep(200);
    expect(await effects()).toEqual([]);
    expect(await finished(here, 'expired')).toBe(1);
  });

  it('keeps its last error', async () => {
    const register = (jobs: Jobs) =>
      jobs.handle('work', async () => Promise.reject(new Error('no answer')), {
        backoff: { baseMs: 10_000, capMs: 10_000 },
      });
    await (await start(register)).enqueue({ ...work, expiresInMs: 60_000 });
    await waitFor(async () => (await onlyRow()).attempts === 1);
    await sql(database.url, 'UPDATE jobs SET expires_at = now()');
    await waitFor(async () => (await onlyRow()).state === 'GIVEN_UP');
    expect((await onlyRow()).error).toBe('It was not done before it expired. Error: no answer');
  });

  it('is not begun any more, even if nobody has given it up yet', async () => {
    const here = await start((jobs) => jobs.handleInTransaction('work', effect), { timings: { sweep: 60_000 } });
    await enqueueNotYetDue(here, '1 minute', { ...work, expiresInMs: 60_000 });
    await sql(database.url, `UPDATE jobs SET due_at = now(), expires_at = now() - interval '1 second'`);
    const [later] = await here.enqueue(work);
    await waitFor(async () => (await effects()).some(({ job }) => job === later));
    expect((await onlyRow()).state).toBe('WAITING');
  });

  const beyondExpiry = async () => {
    await waitFor(async () => (await sql(database.url, 'SELECT FROM jobs WHERE expires_at < now()')).length === 1);
    await sleep(100);
  };

  it.each<[string, (jobs: Jobs) => void]>([
    ['in a transaction', (jobs) => jobs.handleInTransaction('work', beyondExpiry)],
    ['outside', (jobs) => jobs.handle('work', beyondExpiry)],
  ])('while it is at work may finish: %s', async (_, register) => {
    const here = await start(register);
    await here.enqueue({ ...work, expiresInMs: 1000 });
    await finished(here, 'done');
    expect(await rows()).toEqual([]);
  });
});

describe('a job whose payload cannot be read', () => {
  it('is kept and done by whoever has the right ENCRYPTION_KEY, and the log says what to do', async () => {
    const stranger = await start((jobs) => jobs.handleInTransaction('work', effect), {
      env: { ENCRYPTION_KEY: 'f'.repeat(64) },
    });
    const writer = await start();
    await writer.enqueue(work);
    await waitFor(async () => (await stranger.count(FINISHED, { kind: 'work', outcome: 'unreadable' })) >= 2);
    expect((await onlyRow()).attempts).toBe(0);
    expect(log.lines).toContainEqual(
      expect.objectContaining({
        msg: 'The payload of a job cannot be read; it is kept and tried again',
        error: expect.stringContaining('ENCRYPTION_KEY differs'),
      }),
    );
    await start((jobs) => jobs.handleInTransaction('work', effect));
    await allDone();
    expect(await effects()).toMatchObject([{ attempt: 1 }]);
  });
});

describe('a database that goes away', () => {
  it.each(['handleInTransaction', 'handle'] as const)('uses up no attempt of a job (%s)', async (method) => {
    const proxy = await TcpProxy.start(Number(new URL(database.url).port));
    try {
      const url = new URL(database.url);
      url.port = String(proxy.port);
      const attempts: number[] = [];
      const here = await JobProcess.start(url.href, (jobs) => {
        const cutOff = async ({ attempt }: Job) => {
          attempts.push(attempt);
          if (attempts.length > 3) return;
          proxy.cut();
          throw new Error('what was at work failed with it');
        };
        if (method === 'handle') jobs.handle('work', cutOff, { maxAttempts: 1 });
        else {
          const readAfter = async (tx: EntityManager, job: Job) => {
            await cutOff(job).catch(() => undefined);
            await tx.query('SELECT 1');
          };
          jobs.handleInTransaction('work', readAfter, { maxAttempts: 1 });
        }
      });
      processes.push(here);
      await (await start()).enqueue(work);
      await waitFor(async () => attempts.length >= 4 || (await rows()).some(({ state }) => state === 'GIVEN_UP'));
      await allDone();
      expect(attempts.length).toBeGreaterThanOrEqual(4);
    } finally {
      await Promise.all(processes.splice(0).map((each) => each.stop()));
      await proxy.stop();
    }
  });

  it('in the middle of a transaction, and is back at once, uses up none either', async () => {
    const register = (jobs: Jobs) =>
      jobs.handleInTransaction(
        'work',
        async (tx, job) => {
          await effect(tx, job);
          cutOff++;
          if (cutOff < 4) await tx.query('SELECT pg_terminate_backend(pg_backend_pid())');
        },
        { maxAttempts: 1 },
      );
    let cutOff = 0;
    const here = await start(register);
    const [id] = await here.enqueue(work);
    await allDone();
    expect(await effects()).toEqual([{ job: id, attempt: 1 }]);
    expect(await here.count(FINISHED, { kind: 'work', outcome: 'postponed' })).toBe(3);
  });
});

describe('a process that ends', () => {
  it('lets what is running finish, and claims nothing more', async () => {
    let begun = 0;
    const register = (jobs: Jobs) =>
      jobs.handleInTransaction(
        'work',
        async (tx, job) => {
          begun++;
          await sleep(300);
          await effect(tx, job);
        },
        { concurrency: 1 },
      );
    const here = await start(register);
    await here.enqueue(work, work);
    await waitFor(() => begun === 1);
    await here.stop();
    expect(await effects()).toHaveLength(1);
    expect(await onlyRow()).toMatchObject({ state: 'WAITING', attempts: 0 });
  });

  const never = () => new Promise<void>(() => undefined);
  const untilAborted = ({ signal }: Job) =>
    new Promise<void>((_, reject) => {
      signal.addEventListener('abort', () => reject(new Error('stopped, as told')));
    });

  it.each<[string, (jobs: Jobs) => void]>([
    ['in a transaction', (jobs) => jobs.handleInTransaction('work', never)],
    ['in a transaction, and says so', (jobs) => jobs.handleInTransaction('work', (_, job) => untilAborted(job))],
    ['outside', (jobs) => jobs.handle('work', never)],
    ['outside, and says so', (jobs) => jobs.handle('work', untilAborted)],
  ])('hands back what does not finish in time, as it was: %s', async (_, register) => {
    const here = await start(register, { timings: { drain: 50, lease: 60_000 } });
    await here.enqueue(work);
    await waitFor(async () => (await onlyRow()).state === 'RUNNING');
    await here.stop();
    const row = await onlyRow();
    expect(row).toMatchObject({ state: 'WAITING', attempts: 0, abandoned: 0, error: null });
    expect(row.due_in).toBeLessThanOrEqual(0);
  });
});

describe('the queue', () => {
  it('tells Prometheus how long it is and how late', async () => {
    const here = await start((jobs) => jobs.handle('never', async () => new Promise(() => undefined)), {
      timings: { drain: 1 },
    });
    await here.enqueue(work, { kind: 'never', payload: {} });
    await enqueueNotYetDue(here, '1 minute', work);
    await waitFor(() => here.count('holdfast_jobs_queue_depth', { state: 'running' }));
    expect(await here.count('holdfast_jobs_queue_depth', { state: 'waiting' })).toBe(2);
    await sql(database.url, `UPDATE jobs SET due_at = now() - interval '100 seconds' WHERE state = 'WAITING'`);
    expect(await here.count('holdfast_jobs_oldest_due_seconds')).toBeGreaterThanOrEqual(100);
  });
});
