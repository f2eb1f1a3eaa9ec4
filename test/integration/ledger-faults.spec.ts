import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { isDatabaseUnavailable } from '../../src/platform/database/index.js';
import { type AccountKey, type Submission } from '../../src/modules/ledger/index.js';
import { LEDGER_LOCK } from '../../src/platform/transaction/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { BY, codeOf, TestLedger, transfer } from '../support/ledger.js';
import { TcpProxy } from '../support/tcp-proxy.js';
import { waitFor } from '../support/wait-for.js';

let database: TestDatabase;
let proxy: TcpProxy;
/** Reaches PostgreSQL through a wire that can be cut. */
let cut: TestLedger;
/** Another process, whose wire holds. */
let other: TestLedger;
let a: AccountKey;
let b: AccountKey;
let count = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  const url = new URL(database.url);
  proxy = await TcpProxy.start(Number(url.port));
  url.port = String(proxy.port);
  [cut, other] = await Promise.all([TestLedger.open(url.href), TestLedger.open(database.url)]);
});

afterAll(async () => {
  await Promise.all([cut?.close(), other?.close()]);
  await proxy?.stop();
  await database?.drop();
});

beforeEach(async () => {
  count += 1;
  a = await other.fund(`a-${count}`, 100);
  b = await other.fund(`b-${count}`, 0);
});

afterEach(async () => {
  await other.dataSource.query('DROP TRIGGER IF EXISTS slow_commit ON idempotency_records');
  expect((await other.integrity.check()).violations).toEqual([]);
});

/** Makes every COMMIT of a keyed posting take half a second. */
async function slowCommit(): Promise<void> {
  await other.dataSource.query(
    `CREATE OR REPLACE FUNCTION slow_commit() RETURNS trigger LANGUAGE plpgsql AS $$
     BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END $$`,
  );
  await other.dataSource.query(
    `CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON idempotency_records DEFERRABLE INITIALLY DEFERRED
     FOR EACH ROW EXECUTE FUNCTION slow_commit()`,
  );
}

/** Somebody's own transaction has the ledger until it is told to end. */
async function holdLedger(): Promise<{ held: Promise<void>; release: () => void }> {
  let release = (): void => undefined;
  const ended = new Promise<void>((resolve) => (release = resolve));
  let held: Promise<void> = Promise.resolve();
  await new Promise<void>((resolve, reject) => {
    const work = () => {
      resolve();
      return ended;
    };
    held = other.transactor.run(work, { lockTable: LEDGER_LOCK });
    held.catch(reject);
  });
  return { held, release };
}

/** Process id of the backend that is committing. */
async function committing(): Promise<number> {
  let pid: number | undefined;
  await waitFor(
    async () => {
      const [row] = await other.dataSource.query<{ pid: number }[]>(
        `SELECT pid FROM pg_stat_activity
         WHERE datname = current_database() AND query = 'COMMIT' AND state = 'active' AND wait_event = 'PgSleep'`,
      );
      pid = row?.pid;
      return pid !== undefined;
    },
    { what: 'a COMMIT under way' },
  );
  return pid ?? 0;
}

function keyed(from: TestLedger): Promise<Submission> {
  return from.ledger.submit({
    postings: [transfer(a, b, 10)],
    mode: 'atomic',
    by: BY,
    claim: {
      scope: 'api-key:test:POST:/transfers',
      key: `fault-${count}`.padEnd(16, '-'),
      fingerprint: 'a'.repeat(64),
    },
    answer: ([outcome]) => ({ status: 201, contentType: 'text/plain', body: codeOf(outcome) }),
  });
}

describe('when the outcome of a COMMIT is lost', () => {
  it('the caller reads that the database is away, and the key tells that it was committed', async () => {
    await slowCommit();
    const lost = keyed(cut).catch((error: unknown) => error);
    await committing();
    proxy.cut();
    expect(isDatabaseUnavailable(await lost)).toBe(true);
    await waitFor(async () => (await other.balanceOf(b)) === 10n, { what: 'the commit' });
    for (const from of [cut, other]) {
      await expect(keyed(from)).rejects.toMatchObject({ name: 'AlreadyAnsweredError', answer: { body: 'posted' } });
    }
    expect(await other.balanceOf(b)).toBe(10n);
  });

  it('the key tells that it was rolled back, by carrying it out now', async () => {
    await slowCommit();
    const lost = keyed(cut).catch((error: unknown) => error);
    const pid = await committing();
    await other.dataSource.query('SELECT pg_terminate_backend($1)', [pid]);
    expect(isDatabaseUnavailable(await lost)).toBe(true);
    expect(await other.balanceOf(b)).toBe(0n);
    expect((await keyed(other)).outcomes.map(codeOf)).toEqual(['posted']);
    await expect(keyed(cut)).rejects.toMatchObject({ name: 'AlreadyAnsweredError', answer: { body: 'posted' } });
    expect(await other.balanceOf(b)).toBe(10n);
  });
});

describe('a process that breaks off in the middle of a batch', () => {
  it('leaves nothing, and its lock goes with its connection', async () => {
    await slowCommit();
    const all = Array.from({ length: 30 }, () => cut.post(transfer(a, b, 1)));
    const keyedToo = keyed(cut);
    const settled = Promise.allSettled([...all, keyedToo]);
    const pid = await committing();
    const waiting = other.post(transfer(a, b, 3));
    await other.dataSource.query('SELECT pg_terminate_backend($1)', [pid]);
    expect(codeOf(await waiting)).toBe('posted');
    const posted = (await settled).filter(({ status }) => status === 'fulfilled').length;
    expect(await other.balanceOf(b)).toBe(BigInt(3 + (posted > 30 ? posted + 9 : posted)));
    expect((await settled).every((each) => each.status === 'fulfilled' || isDatabaseUnavailable(each.reason))).toBe(
      true,
    );
  });

  it('posts again by itself once PostgreSQL can be reached', async () => {
    proxy.cut();
    await waitFor(async () => codeOf(await cut.post(transfer(a, b, 1)).catch(() => undefined)) === 'posted', {
      what: 'a posting over a new connection',
    });
    expect(await other.balanceOf(b)).toBe(1n);
  });
});

describe('a batch', () => {
  it('waits for whoever holds the ledger, and goes on when that is over', async () => {
    const { held, release } = await holdLedger();
    const waiting = cut.post(transfer(a, b, 1));
    await waitFor(
      async () => {
        const [row] = await other.dataSource.query<{ count: number }[]>(
          `SELECT count(*)::integer AS count FROM pg_locks WHERE NOT granted AND relation = $1::regclass`,
          [LEDGER_LOCK],
        );
        return row?.count === 1;
      },
      { what: 'the batch at the lock' },
    );
    release();
    await held;
    expect(codeOf(await waiting)).toBe('posted');
  });

  it('gets the ledger from a process that holds it and has fallen silent', async () => {
    const { held, release } = await holdLedger();
    const silent = held.catch((error: unknown) => error);
    expect(codeOf(await cut.post(transfer(a, b, 1)))).toBe('posted');
    release();
    expect(isDatabaseUnavailable(await silent)).toBe(true);
  });

  it('is refused with 503 as a whole when it has waited for the ledger too long', async () => {
    const { held, release } = await holdLedger();
    const impatient = await TestLedger.open(database.url, { statementTimeoutMs: 300 });
    const refused = await Promise.allSettled([impatient.post(transfer(a, b, 1)), impatient.post(transfer(a, b, 1))]);
    for (const each of refused) expect(each).toMatchObject({ status: 'rejected', reason: { status: 503 } });
    release();
    await held;
    await impatient.close();
    expect(await other.balanceOf(b)).toBe(0n);
  });

  it('runs again when a row it reads is changed by someone who takes no lock', async () => {
    const id = (await other.ledger.account(a))?.id;
    const runner = other.dataSource.createQueryRunner();
    await runner.startTransaction('READ COMMITTED');
    await runner.query(`UPDATE ledger_accounts SET status = 'FROZEN' WHERE id = $1`, [id]);
    const waiting = cut.post(transfer(a, b, 1));
    await waitFor(
      async () => {
        const [row] = await other.dataSource.query<{ count: number }[]>(
          `SELECT count(*)::integer AS count FROM pg_stat_activity
           WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%FOR UPDATE%'`,
        );
        return row?.count === 1;
      },
      { what: 'the batch at the row' },
    );
    await runner.commitTransaction();
    await runner.release();
    expect(codeOf(await waiting)).toBe('ACCOUNT_FROZEN');
  });

  it('of a restored database remembers no account that is gone', async () => {
    const key = await cut.fund(`gone-${count}`, 5);
    expect(codeOf(await cut.post(transfer(key, b, 1)))).toBe('posted');
    for (const table of ['ledger_accounts', 'ledger_transfers', 'ledger_entries', 'ledger_holds']) {
      await other.dataSource.query(`ALTER TABLE ${table} DISABLE TRIGGER USER`);
      await other.dataSource.query(`DELETE FROM ${table}`);
      await other.dataSource.query(`ALTER TABLE ${table} ENABLE TRIGGER USER`);
    }
    expect(codeOf(await cut.post(transfer(key, b, 1)))).toBe('NOT_FOUND');
    const again = await cut.fund(`gone-${count}`, 5);
    expect(await other.balanceOf(again)).toBe(5n);
  });
});
