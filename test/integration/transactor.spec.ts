import { DataSource, type EntityManager } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { NotFoundError } from '../../src/kernel/app-error.js';
import { AuditLog } from '../../src/modules/audit/index.js';
import { createDataSource, prepared, runPrepared, TransactionEndedError } from '../../src/platform/database/index.js';
import { Metrics } from '../../src/platform/metrics/index.js';
import { Transactor } from '../../src/platform/transaction/transactor.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { waitFor } from '../support/wait-for.js';

let database: TestDatabase;
let dataSource: DataSource;
let metrics: Metrics;
let transactor: Transactor;

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = createDataSource(
    database.url,
    { entities: [], migrations: [] },
    { poolSize: 12, poolTimeoutMs: 5000, statementTimeoutMs: 10_000 },
  );
  await dataSource.initialize();
  await dataSource.query('CREATE TABLE turns ()');
  await dataSource.query('CREATE TABLE balances (name text PRIMARY KEY, amount integer NOT NULL)');
});

afterAll(async () => {
  await dataSource?.destroy();
  await database?.drop();
});

beforeEach(async () => {
  await dataSource.query(`TRUNCATE balances`);
  await dataSource.query(`INSERT INTO balances VALUES ('a', 0), ('b', 0)`);
  metrics = new Metrics();
  transactor = new Transactor(dataSource, metrics);
});

async function amount(name: string, from: Pick<EntityManager, 'query'> = dataSource): Promise<number> {
  const [row] = await from.query<{ amount: number }[]>('SELECT amount FROM balances WHERE name = $1', [name]);
  if (!row) throw new Error(`There is no ${name}`);
  return row.amount;
}

async function setAmount(tx: EntityManager, name: string, value: number): Promise<void> {
  await tx.query('UPDATE balances SET amount = $2 WHERE name = $1', [name, value]);
}

async function retries(): Promise<number> {
  const line = (await metrics.render())
    .split('\n')
    .find((each) => each.startsWith('holdfast_transactions_total{outcome="retried"}'));
  return Number(line?.split(' ').at(-1));
}

/** Somebody else's transaction that changes `a` while ours has already read it: ours can no longer be serialized. */
async function interfere(): Promise<void> {
  await dataSource.query(`UPDATE balances SET amount = amount + 100 WHERE name = 'a'`);
}

/** Backends of this database that wait for a lock. */
async function waiting(): Promise<number> {
  const [row] = await dataSource.query<{ count: number }[]>(
    `SELECT count(*)::integer AS count FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
  );
  return row?.count ?? 0;
}

/** Whether one transaction at most has the table's lock or asks for it. */
const LONE_LOCK = `SELECT count(*) <= 1 AS lone FROM pg_locks WHERE relation = 'turns'::regclass`;

/** A meeting point: resolves for everyone when `count` have come. Later comers do not wait. */
function meetingOf(count: number): () => Promise<void> {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  let come = 0;
  return () => {
    come += 1;
    if (come >= count) open();
    return opened;
  };
}

describe('connections', () => {
  it('are given up when they are old, and others take their place', async () => {
    const pool = { poolSize: 1, poolTimeoutMs: 5000, statementTimeoutMs: 10_000, maxLifetimeMs: 1000 };
    const short = await createDataSource(database.url, { entities: [], migrations: [] }, pool).initialize();
    try {
      const backend = async () => {
        const [row] = await short.query<{ pid: number }[]>('SELECT pg_backend_pid() AS pid');
        return row?.pid;
      };
      const first = await backend();
      await waitFor(async () => (await backend()) !== first, { what: 'another connection' });
    } finally {
      await short.destroy();
    }
  });
});

describe('a transaction', () => {
  it('is SERIALIZABLE unless told otherwise', async () => {
    const level = (tx: EntityManager) => tx.query('SHOW transaction_isolation');
    expect(await transactor.run(level)).toEqual([{ transaction_isolation: 'serializable' }]);
    expect(await transactor.run(level, { isolation: 'READ COMMITTED' })).toEqual([
      { transaction_isolation: 'read committed' },
    ]);
  });

  it('commits what the work wrote and returns what it returned', async () => {
    const returned = await transactor.run(async (tx) => {
      await setAmount(tx, 'a', 5);
      return 'done';
    });
    expect([returned, await amount('a'), await retries()]).toEqual(['done', 5, 0]);
  });

  it('rolls everything back when the work throws, and throws the same error, once', async () => {
    const error = new Error('no');
    let runs = 0;
    const failed = transactor.run(async (tx) => {
      runs += 1;
      await setAmount(tx, 'a', 5);
      throw error;
    });
    await expect(failed).rejects.toBe(error);
    expect([runs, await amount('a'), await retries()]).toEqual([1, 0, 0]);
  });

  it('is counted by how it ended', async () => {
    await transactor.run(async () => undefined);
    const refusal = new NotFoundError('no');
    await expect(transactor.run(() => Promise.reject(refusal))).rejects.toBe(refusal);
    await expect(transactor.run(() => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    const lines = (await metrics.render())
      .split('\n')
      .filter((line) => line.startsWith('holdfast_transactions_total{'));
    expect(lines).toEqual(
      ['committed', 'refused', 'retried', 'failed'].map(
        (outcome) => `holdfast_transactions_total{outcome="${outcome}"} ${outcome === 'retried' ? 0 : 1}`,
      ),
    );
  });

  it('does not try again what is wrong with the statement itself', async () => {
    let runs = 0;
    const failed = transactor.run(async (tx) => {
      runs += 1;
      await tx.query(`INSERT INTO balances VALUES ('a', 1)`);
    });
    await expect(failed).rejects.toMatchObject({ code: '23505' });
    expect(runs).toBe(1);
  });
});

describe('a serialization failure', () => {
  it('makes the whole work run again on fresh data, and is counted', async () => {
    let runs = 0;
    await transactor.run(async (tx) => {
      runs += 1;
      const read = await amount('a', tx);
      if (runs === 1) await interfere();
      await setAmount(tx, 'a', read + 1);
    });
    expect([runs, await amount('a'), await retries()]).toEqual([2, 101, 1]);
  });

  it('is thrown once the attempts are used up, with nothing written', async () => {
    let runs = 0;
    const failed = transactor.run(
      async (tx) => {
        runs += 1;
        const read = await amount('a', tx);
        await interfere();
        await setAmount(tx, 'a', read + 1);
      },
      { attempts: 3 },
    );
    await expect(failed).rejects.toMatchObject({ code: '40001' });
    expect([runs, await amount('a'), await retries()]).toEqual([3, 300, 2]);
  });

  it('costs no increment when rivals read and write the same row at once', async () => {
    await Promise.all(
      Array.from({ length: 10 }, () =>
        transactor.run(async (tx) => setAmount(tx, 'a', (await amount('a', tx)) + 1), { attempts: 50 }),
      ),
    );
    expect(await amount('a')).toBe(10);
    expect(await retries()).toBeGreaterThan(0);
  });

  it('keeps two from both passing a check that only one of them may (write skew)', async () => {
    const bothHaveRead = meetingOf(2);
    const withdraw = (name: string) =>
      transactor.run(async (tx) => {
        const sum = (await amount('a', tx)) + (await amount('b', tx));
        await bothHaveRead();
        if (sum - 1 < -1) throw new Error('overdrawn');
        await setAmount(tx, name, (await amount(name, tx)) - 1);
      });
    const settled = await Promise.allSettled([withdraw('a'), withdraw('b')]);
    expect(settled.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect((await amount('a')) + (await amount('b'))).toBe(-1);
  });
});

describe('a transaction that locks a table first', () => {
  it('waits for its turn and then sees what the one before committed: nothing has to run again', async () => {
    await Promise.all(
      Array.from({ length: 10 }, () =>
        transactor.run(async (tx) => setAmount(tx, 'a', (await amount('a', tx)) + 1), {
          lockTable: 'turns',
          attempts: 1,
        }),
      ),
    );
    expect([await amount('a'), await retries()]).toEqual([10, 0]);
  });

  it('takes no connection before its turn: the pool stays with those who need no lock', async () => {
    let end = (): void => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    const first = transactor.run(() => ended, { lockTable: 'turns' });
    const others = Array.from({ length: 20 }, () => transactor.run(async () => undefined, { lockTable: 'turns' }));
    const [row] = await transactor.run((tx) => tx.query<{ lone: boolean }[]>(LONE_LOCK));
    expect([row, await waiting()]).toEqual([{ lone: true }, 0]);
    end();
    await Promise.all([first, ...others]);
  });

  it('is SERIALIZABLE all the same, and its lock ends with it when it fails', async () => {
    const failed = transactor.run(
      async (tx) => {
        expect(await tx.query('SHOW transaction_isolation')).toEqual([{ transaction_isolation: 'serializable' }]);
        throw new Error('no');
      },
      { lockTable: 'turns' },
    );
    await expect(failed).rejects.toThrow('no');
    expect(await transactor.run(async () => 'next', { lockTable: 'turns' })).toBe('next');
  });

  it('leaves no setting behind on its connection', async () => {
    const timeout = (from: Pick<EntityManager, 'query'>) => from.query('SHOW idle_in_transaction_session_timeout');
    const before = await timeout(dataSource);
    expect(await transactor.run(timeout, { lockTable: 'turns' })).not.toEqual(before);
    for (let each = 0; each < 12; each++) expect(await timeout(dataSource)).toEqual(before);
  });
});

describe('a deadlock', () => {
  it('is resolved by running the victim again: both have their effect', async () => {
    const bothHoldOne = meetingOf(2);
    const move = (from: string, to: string) =>
      transactor.run(
        async (tx) => {
          await tx.query('UPDATE balances SET amount = amount - 1 WHERE name = $1', [from]);
          await bothHoldOne();
          await tx.query('UPDATE balances SET amount = amount + 1 WHERE name = $1', [to]);
        },
        { isolation: 'READ COMMITTED' },
      );
    await Promise.all([move('a', 'b'), move('b', 'a')]);
    expect([await amount('a'), await amount('b')]).toEqual([0, 0]);
    expect(await retries()).toBeGreaterThan(0);
  });
});

describe('a single statement', () => {
  it('is committed as it is and gives its rows', async () => {
    const rows = await transactor.statement<{ name: string }>(
      `INSERT INTO balances VALUES ('c', $1), ('d', $1) RETURNING name`,
      [1],
    );
    expect(rows.map(({ name }) => name)).toEqual(['c', 'd']);
    expect(await amount('d')).toBe(1);
  });

  it('says how many rows it wrote, in whatever way', async () => {
    const affected = (sql: string) => transactor.affected(sql, [7]);
    expect(await affected(`INSERT INTO balances VALUES ('e', $1), ('f', $1), ('g', $1)`)).toBe(3);
    expect(await affected(`UPDATE balances SET amount = 8 WHERE amount = $1 AND name <> 'e'`)).toBe(2);
    expect(
      await affected(
        `WITH other AS (SELECT $1::integer + 1 AS amount) DELETE FROM balances USING other WHERE balances.amount = other.amount`,
      ),
    ).toBe(2);
    expect(await affected(`DELETE FROM balances WHERE amount = $1 + 1`)).toBe(0);
    expect(await amount('e')).toBe(7);
  });

  it('runs again when it is the victim of a deadlock', async () => {
    const rival = dataSource.createQueryRunner();
    await rival.startTransaction('READ COMMITTED');
    // It looks for no deadlock while the test lasts: the statement does, after a second, and gives way.
    await rival.query(`SET LOCAL deadlock_timeout = '1min'`);
    await rival.query(`SELECT FROM balances WHERE name = 'b' FOR UPDATE`);
    const statement = transactor.statement(
      `UPDATE balances SET amount = amount + 1 FROM (SELECT name FROM balances ORDER BY name FOR UPDATE) AS locked
       WHERE balances.name = locked.name`,
      [],
    );
    await waitFor(async () => (await waiting()) === 1);
    await rival.query(`UPDATE balances SET amount = amount + 10 WHERE name = 'a'`);
    await rival.commitTransaction();
    await rival.release();
    await statement;
    expect([await amount('a'), await amount('b'), await retries()]).toEqual([11, 1, 1]);
  });
});

describe('a COMMIT whose answer does not arrive', () => {
  it('is told as an unknown outcome and not run again: it may have happened, and here it has', async () => {
    const createQueryRunner = dataSource.createQueryRunner.bind(dataSource);
    const spy = jest.spyOn(dataSource, 'createQueryRunner').mockImplementation((mode) => {
      const runner = createQueryRunner(mode);
      const commit = runner.commitTransaction.bind(runner);
      runner.commitTransaction = async () => {
        await commit();
        throw Object.assign(new Error('read ENETUNREACH'), { code: 'ENETUNREACH' });
      };
      return runner;
    });
    try {
      const outcome = transactor.run((tx) => tx.query(`UPDATE balances SET amount = amount + 1 WHERE name = 'a'`));
      await expect(outcome).rejects.toMatchObject({ status: 503, code: 'COMMIT_OUTCOME_UNKNOWN' });
    } finally {
      spy.mockRestore();
    }
    expect([await amount('a'), await retries()]).toEqual([1, 0]);
  });
});

describe('work that was given up on', () => {
  it('can read and write nothing more once its transaction has ended, whether rolled back or committed', async () => {
    for (const fails of [true, false]) {
      let late: EntityManager | undefined;
      const ended = transactor.run(async (tx) => {
        late = tx;
        if (fails) throw new Error('given up');
      });
      await ended.catch(() => undefined);
      await expect(setAmount(late!, 'a', 1)).rejects.toThrow();
    }
    expect(await amount('a')).toBe(0);
  });

  const UPDATE = `UPDATE balances SET amount = amount + 1 WHERE name = 'a'`;
  const increment = prepared('increment_a', UPDATE);

  it.each<[string, (tx: EntityManager) => Promise<unknown>]>([
    ['a plain statement', (tx) => tx.query(UPDATE)],
    ['a prepared statement', (tx) => runPrepared(tx.queryRunner!, increment, [])],
  ])('cannot slip %s behind the ROLLBACK, where it would commit by itself', async (_, write) => {
    const errors: unknown[] = [];
    let stillWriting: Promise<void> | undefined;
    const writeOn = async (tx: EntityManager) => {
      for (;;) await write(tx);
    };
    for (let round = 0; round < 20; round++) {
      const givenUp = transactor.run(async (tx) => {
        stillWriting = writeOn(tx).catch((error: unknown) => void errors.push(error));
        await new Promise((resolve) => setTimeout(resolve, 5));
        throw new Error('time is up');
      });
      await expect(givenUp).rejects.toThrow('time is up');
      await stillWriting;
    }
    expect(errors).toHaveLength(20);
    expect(errors.every((error) => error instanceof TransactionEndedError)).toBe(true);
    expect(await amount('a')).toBe(0);
  });
});

describe('a repository that writes what must not be lost', () => {
  it('refuses to write outside a transaction', async () => {
    const line = { actor: 'system', action: 'thing.done' };
    await expect(new AuditLog().record(dataSource.manager, [line])).rejects.toThrow('inside a transaction only');
    await transactor.run((tx) => new AuditLog().record(tx, [line]));
    expect(await dataSource.query('SELECT action FROM audit_log')).toEqual([{ action: 'thing.done' }]);
  });
});
