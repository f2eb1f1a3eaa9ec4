import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { type AccountKey, type BalanceAt, type Hold, type Posting } from '../../src/modules/ledger/index.js';
import { LEDGER_LOCK } from '../../src/platform/transaction/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { BY, codeOf, credit, TestLedger, transfer, usd } from '../support/ledger.js';
import { waitFor } from '../support/wait-for.js';

let database: TestDatabase;
/** Two processes' worth of ledgers, and one that only reads. */
let one: TestLedger;
let two: TestLedger;
let reader: TestLedger;
let count = 0;
let alice: AccountKey;
let bob: AccountKey;

beforeAll(async () => {
  database = await createTestDatabase();
  [one, two, reader] = await Promise.all([
    TestLedger.open(database.url),
    TestLedger.open(database.url),
    TestLedger.open(database.url),
  ]);
});

afterAll(async () => {
  await Promise.all([one?.close(), two?.close(), reader?.close()]);
  await database?.drop();
});

beforeEach(async () => {
  count += 1;
  alice = await one.fund(`alice-${count}`, 1_000_000);
  bob = await one.fund(`bob-${count}`, 1_000_000);
});

/** By the database's clock, as a reader with a clock of its own could not hit it better. */
async function now(): Promise<Date> {
  const [row] = await reader.dataSource.query<{ now: Date }[]>('SELECT clock_timestamp() AS now');
  return row?.now ?? new Date(0);
}

async function holdOf(posting: Posting): Promise<Hold> {
  const outcome = await one.post(posting);
  if (!('held' in outcome)) throw new Error(codeOf(outcome));
  return outcome.held;
}

interface Unfinished {
  /** What became of its posting. */
  code: string;
  end(): Promise<void>;
}

/** A transaction that has posted and does not end before it is told to. */
function unfinished(ledger: TestLedger, posting: Posting): Promise<Unfinished> {
  return new Promise((resolve, reject) => {
    let open = (): void => undefined;
    const gate = new Promise<void>((opened) => (open = opened));
    const ended = ledger.transactor.run(
      async (tx) => {
        const [outcome] = await ledger.ledger.post(tx, { postings: [posting], mode: 'atomic', by: BY });
        const end = () => {
          open();
          return ended;
        };
        resolve({ code: codeOf(outcome), end });
        await gate;
      },
      { lockTable: LEDGER_LOCK },
    );
    ended.catch(reject);
  });
}

/** Whether somebody waits for whoever holds the ledger. */
async function isWaiting(): Promise<boolean> {
  const rows = await one.dataSource.query<object[]>(
    `SELECT FROM pg_locks WHERE relation = '${LEDGER_LOCK}'::regclass AND mode = 'RowShareLock' AND NOT granted`,
  );
  return rows.length > 0;
}

describe('an answer about a past moment', () => {
  it('is final: asked again it is the same, however much was posted while it was given', async () => {
    const stop = new AbortController();
    const post = async (ledger: TestLedger, turn: number) => {
      for (let step = turn; !stop.signal.aborted; step++) {
        const placed = await ledger.post({
          type: 'hold',
          account: alice,
          credit: bob,
          amount: usd(1 + (step % 5)),
          expiresInSeconds: 1 + (step % 2),
        });
        await ledger.post(step % 2 === 0 ? transfer(alice, bob, 3) : transfer(bob, alice, 2));
        if (!('held' in placed) || step % 3 === 0) continue;
        await ledger.post({ type: step % 3 === 1 ? 'capture' : 'void', holdId: placed.held.id });
      }
    };
    const posting = [0, 1, 2].flatMap((turn) => [post(one, turn), post(two, turn + 1)]);
    const told: BalanceAt[] = [];
    const ask = async (key: AccountKey) => {
      for (let turn = 0; turn < 60; turn++) {
        const answer = await reader.ledger.balanceAt(key, await now());
        if (answer) told.push(answer);
      }
    };
    try {
      await Promise.all([alice, alice, alice, alice].map(ask));
    } finally {
      stop.abort();
      await Promise.all(posting);
    }
    expect(told).toHaveLength(240);
    expect(new Set(told.map(({ balance }) => balance.minor)).size).toBeGreaterThan(10);
    const again: (BalanceAt | undefined)[] = [];
    for (const { asOf } of told) again.push(await one.ledger.balanceAt(alice, asOf));
    expect(again).toEqual(told);
  }, 60_000);

  it('waits for a transaction that has posted by then, whatever its end', async () => {
    for (const amount of [100, 200]) {
      const before = await now();
      const transaction = await unfinished(two, transfer(alice, bob, amount));
      expect(transaction.code).toBe('posted');
      const asked = reader.ledger.balanceAt(alice, await now());
      await waitFor(isWaiting, { what: 'the reader at the lock' });
      await transaction.end();
      const balance = (await reader.ledger.account(alice))?.balance ?? usd(0);
      expect(await asked).toMatchObject({ balance });
      expect(await reader.ledger.balanceAt(alice, before)).toMatchObject({
        balance: usd(balance.minor + BigInt(amount)),
      });
    }
  });

  it('does not wait for one that began after that moment, nor for one that holds no lock', async () => {
    const before = await now();
    await one.dataSource.query('SELECT pg_sleep(0.002)');
    const transaction = await unfinished(two, transfer(alice, bob, 100));
    expect(await reader.ledger.balanceAt(alice, before)).toMatchObject({ balance: usd(1_000_000) });
    await transaction.end();
    const idle = one.dataSource.createQueryRunner();
    await idle.startTransaction();
    await idle.query(`LOCK TABLE ${LEDGER_LOCK} IN ROW SHARE MODE`);
    expect(await reader.ledger.balanceAt(alice, await now())).toMatchObject({ balance: usd(999_900) });
    await idle.rollbackTransaction();
    await idle.release();
  });

  it('keeps one connection waiting, however many ask', async () => {
    const transaction = await unfinished(two, transfer(alice, bob, 100));
    const at = await now();
    const asked = Array.from({ length: 50 }, () => reader.ledger.balanceAt(alice, at));
    await waitFor(isWaiting, { what: 'the readers at the lock' });
    expect(await reader.balanceOf(bob)).toBe(1_000_000n);
    await transaction.end();
    expect(new Set((await Promise.all(asked)).map((answer) => answer?.balance.minor))).toEqual(new Set([999_900n]));
  });

  it('is not given of a time that is still to come', async () => {
    const ahead = new Date((await now()).getTime() + 60_000);
    await expect(reader.ledger.balanceAt(alice, ahead)).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
      details: { errors: [{ path: 'at', message: expect.stringMatching(/it is \d{4}-\d\d-\d\dT[\d:.]+Z$/) }] },
    });
  });

  it('is refused as unavailable when the ledger is held for longer than a statement may take', async () => {
    const impatient = await TestLedger.open(database.url, { statementTimeoutMs: 200 });
    const transaction = await unfinished(two, transfer(alice, bob, 100));
    await expect(impatient.ledger.balanceAt(alice, await now())).rejects.toMatchObject({ status: 503, retryAfter: 1 });
    await transaction.end();
    await impatient.close();
  });
});

describe('a hold whose time is over', () => {
  it('is not called expired while somebody may still commit that it was captured in time', async () => {
    const { id, expiresAt } = await holdOf({
      type: 'hold',
      account: alice,
      credit: bob,
      amount: usd(7),
      expiresInSeconds: 1,
    });
    const transaction = await unfinished(two, { type: 'capture', holdId: id });
    expect(transaction.code).toBe('CAPTURED');
    expect(await reader.ledger.hold(id)).toMatchObject({ status: 'ACTIVE' });
    await waitFor(async () => (await now()) > expiresAt, { what: 'the end of its time' });
    const asked = reader.ledger.hold(id);
    await waitFor(isWaiting, { what: 'the reader at the lock' });
    await transaction.end();
    expect(await asked).toMatchObject({ status: 'CAPTURED', captured: usd(7) });
  });

  it('is expired for good once a reader was told so, also while others post', async () => {
    const { id, expiresAt } = await holdOf({
      type: 'hold',
      account: alice,
      credit: bob,
      amount: usd(7),
      expiresInSeconds: 1,
    });
    await waitFor(async () => (await now()) > expiresAt, { what: 'the end of its time' });
    const transaction = await unfinished(two, credit(bob, 1));
    expect(await reader.ledger.hold(id)).toMatchObject({ status: 'EXPIRED', resolvedAt: expiresAt });
    await transaction.end();
    expect(codeOf(await one.post({ type: 'capture', holdId: id }))).toBe('HOLD_EXPIRED');
  });
});
