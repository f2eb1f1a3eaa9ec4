import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type AccountKey, type Posting, type PostingOutcome, systemAccount } from '../../src/modules/ledger/index.js';
import { LEDGER_LOCK, READ_COMMITTED } from '../../src/platform/transaction/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { BY, codeOf, credit, TestLedger, transfer, usd } from '../support/ledger.js';

const BANK = systemAccount('disputes', 'USD');

let database: TestDatabase;
/** Two processes' worth of ledgers. */
let one: TestLedger;
let two: TestLedger;
let count = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  [one, two] = await Promise.all([TestLedger.open(database.url), TestLedger.open(database.url)]);
});

afterEach(async () => {
  expect((await one.integrity.check()).violations).toEqual([]);
});

afterAll(async () => {
  await Promise.all([one?.close(), two?.close()]);
  await database?.drop();
});

function person(amount: number): Promise<AccountKey> {
  return one.fund(`person-${++count}`, amount);
}

/** The bank takes money back, whether or not the user has it. */
function take(from: AccountKey, amount: number, reference = `take-${++count}`): Posting {
  const note = { category: 'payment', reference };
  return {
    type: 'transfer',
    kind: 'DEBIT',
    debit: from,
    credit: BANK,
    amount: usd(amount),
    shortfall: 'debt',
    ...note,
  };
}

/** Every second one through the other process, all at once. */
function atOnce(postings: readonly Posting[]): Promise<PostingOutcome[]> {
  return Promise.all(postings.map((posting, index) => (index % 2 === 0 ? one : two).post(posting)));
}

/** In the same order each time: kinds are mixed. */
function shuffled<Item>(items: readonly Item[]): Item[] {
  return items
    .map((item, index) => ({ item, place: (index * 13 + 5) % items.length }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

/** Balance, held, available, debt. */
async function stateOf(key: AccountKey): Promise<(bigint | undefined)[]> {
  const account = await one.ledger.account(key);
  return [account?.balance, account?.held, account?.available, account?.debt].map((each) => each?.minor);
}

/** Oldest first: category, amount, balance after. */
async function statementOf(key: AccountKey): Promise<[string | null, number, number][]> {
  const page = await one.ledger.statement(key, { limit: 100 });
  return (page?.data ?? [])
    .toReversed()
    .map(({ transfer: { category }, amount, balanceAfter }) => [
      category,
      Number(amount.minor),
      Number(balanceAfter.minor),
    ]);
}

async function setStatus(key: AccountKey, status: 'FROZEN' | 'OPEN'): Promise<void> {
  await one.transactor.run(
    (tx) => one.ledger.setStatus(tx, { owner: key.owner }, status, BY, 'a test'),
    READ_COMMITTED,
  );
}

/** Moves the time of their holds into the past, as no caller can: past the triggers. */
async function expireHoldsOf(key: AccountKey): Promise<void> {
  const account = await one.ledger.account(key);
  await one.transactor.run(async (tx) => {
    await tx.query('ALTER TABLE ledger_holds DISABLE TRIGGER USER');
    await tx.query(`UPDATE ledger_holds SET expires_at = now() - interval '1 second' WHERE account = $1`, [
      account?.id,
    ]);
    await tx.query('ALTER TABLE ledger_holds ENABLE TRIGGER USER');
    await tx.query('ALTER TABLE ledger_holds ENABLE ALWAYS TRIGGER ledger_holds_refuse_change');
  });
}

describe('what a user lacks', () => {
  it('is owed, shown, and repaid by what comes in before anything can be spent', async () => {
    const alice = await person(25);
    const bob = await person(0);
    expect(codeOf(await one.post(take(alice, 60)))).toBe('posted');
    expect(await stateOf(alice)).toEqual([0n, 0n, 0n, 35n]);
    expect(codeOf(await two.post(credit(alice, 20)))).toBe('posted');
    expect(await stateOf(alice)).toEqual([0n, 0n, 0n, 15n]);
    expect(codeOf(await one.post(transfer(alice, bob, 1)))).toBe('INSUFFICIENT_FUNDS');
    expect(codeOf(await one.post(credit(alice, 20)))).toBe('posted');
    expect(await stateOf(alice)).toEqual([5n, 0n, 5n, 0n]);
    expect(await statementOf(alice)).toEqual([
      [null, 25, 25],
      ['debt_shortfall', 35, 60],
      ['payment', -60, 0],
      [null, 20, 20],
      ['debt_repayment', -20, 0],
      [null, 20, 20],
      ['debt_repayment', -15, 5],
    ]);
  });

  it('is not owed where nothing is lacking', async () => {
    const alice = await person(60);
    await one.post(take(alice, 60));
    expect(await stateOf(alice)).toEqual([0n, 0n, 0n, 0n]);
    expect(await statementOf(alice)).toHaveLength(2);
  });

  it('is owed once, by whoever posts it first', async () => {
    const alice = await person(10);
    const same = take(alice, 30);
    const outcomes = await atOnce([same, same, same, same]);
    expect(outcomes.map(codeOf).toSorted()).toEqual([
      'REFERENCE_ALREADY_USED',
      'REFERENCE_ALREADY_USED',
      'REFERENCE_ALREADY_USED',
      'posted',
    ]);
    expect(await stateOf(alice)).toEqual([0n, 0n, 0n, 20n]);
  });

  it('comes and goes with the transaction of whoever takes it', async () => {
    const alice = await person(10);
    const work = one.transactor.run(
      async (tx) => {
        const [outcome] = await one.ledger.post(tx, { postings: [take(alice, 30)], mode: 'atomic', by: BY });
        expect(codeOf(outcome)).toBe('posted');
        throw new RangeError('changed my mind');
      },
      { lockTable: LEDGER_LOCK },
    );
    await expect(work).rejects.toThrow(RangeError);
    expect(await stateOf(alice)).toEqual([10n, 0n, 10n, 0n]);
  });

  it('of a frozen account is all of it, and is repaid once it is thawed', async () => {
    const [alice, bob] = [await person(50), await person(0)];
    await setStatus(alice, 'FROZEN');
    expect(codeOf(await one.post(take(alice, 30)))).toBe('posted');
    expect(await stateOf(alice)).toEqual([50n, 0n, 20n, 30n]);
    await setStatus(alice, 'OPEN');
    expect(codeOf(await two.post(transfer(alice, bob, 21)))).toBe('INSUFFICIENT_FUNDS');
    expect(await stateOf(alice)).toEqual([20n, 0n, 20n, 0n]);
  });

  it('of an account that is not there is refused like any posting, and opens none', async () => {
    const nobody = { kind: 'user', owner: 'nobody', currency: 'USD' } as const;
    expect(codeOf(await one.post(take(nobody, 30)))).toBe('NOT_FOUND');
  });

  it('is repaid from a hold that is over by the sweep', async () => {
    const [alice, bob] = [await person(30), await person(0)];
    await one.post({ type: 'hold', account: alice, credit: bob, amount: usd(30), expiresInSeconds: 3600 });
    await one.post(take(alice, 20));
    expect(await stateOf(alice)).toEqual([30n, 30n, 0n, 20n]);
    await expireHoldsOf(alice);
    expect(await stateOf(alice)).toEqual([30n, 0n, 10n, 20n]);
    await one.sweep.sweep();
    expect(await stateOf(alice)).toEqual([10n, 0n, 10n, 0n]);
  });

  it('is in the audit log, as the ledger’s doing', async () => {
    const alice = await person(0);
    await one.post(take(alice, 30));
    await one.post(credit(alice, 7));
    const lines = await one.dataSource.query<{ details: { postings: string[] } }[]>(
      `SELECT details FROM audit_log WHERE actor = 'system:ledger' AND action = 'ledger.posted' ORDER BY id`,
    );
    const own = lines.flatMap(({ details }) => details.postings).filter((each) => each.includes(`:${alice.owner}`));
    expect(own.map((each) => each.replace(/ [0-9a-f-]{36}/, ''))).toEqual([
      `CREDIT: 30 USD, debt:${alice.owner} > user:${alice.owner}`,
      `DEBIT: 7 USD, user:${alice.owner} > debt:${alice.owner}`,
    ]);
  });
});

describe('what was owed at a moment of the past', () => {
  it('is told beside what was there', async () => {
    const alice = await person(10);
    const owing = await one.post(take(alice, 30));
    if (!('posted' in owing)) throw new Error(codeOf(owing));
    const then = owing.posted.createdAt;
    // It is told once that millisecond is over, so what comes now is later.
    const told = await one.ledger.balanceAt(alice, then);
    await one.post(credit(alice, 50));
    expect(await one.ledger.balanceAt(alice, then)).toEqual(told);
    expect(await one.ledger.balanceAt(alice, then)).toMatchObject({
      balance: usd(0),
      debt: usd(20),
      available: usd(0),
    });
    expect(await one.ledger.balanceAt(alice, new Date(then.getTime() - 60_000))).toMatchObject({
      balance: usd(0),
      debt: usd(0),
    });
    const { now } = (await one.dataSource.query<{ now: Date }[]>('SELECT clock_timestamp() AS now'))[0] ?? {};
    expect(await one.ledger.balanceAt(alice, now ?? then)).toMatchObject({ balance: usd(30), debt: usd(0) });
  });
});

describe('credits and withdrawals at once, over two processes', () => {
  /** Spends are tried all the while. */
  it.each([
    ['more than all that came in', [150, 80]],
    ['less than came in', [100, 30]],
  ])('of %s let nothing be spent while anything is owed, and lose not a cent', async (_, amounts) => {
    const [alice, bob] = [await person(40), await person(1000)];
    const credits = Array.from({ length: 20 }, (__, index) => (index % 2 ? credit(alice, 7) : transfer(bob, alice, 7)));
    const takes = amounts.map((amount) => take(alice, amount));
    const spends = Array.from({ length: 10 }, () => transfer(alice, bob, 9));
    const outcomes = await atOnce(shuffled([...credits, ...takes, ...spends]));
    expect(outcomes.map(codeOf).filter((code) => code !== 'posted' && code !== 'INSUFFICIENT_FUNDS')).toEqual([]);

    const lines = await statementOf(alice);
    let owed = 0;
    for (const [category, amount] of lines) {
      if (category === 'debt_shortfall') owed += amount;
      if (category === 'debt_repayment') owed += amount;
      if (category === null && amount < 0) expect(owed).toBe(0);
    }
    const sum = lines.reduce((total, [, amount]) => total + amount, 0);
    expect(await stateOf(alice)).toEqual([sum, 0, sum, owed].map(BigInt));
    expect(lines.filter(([category]) => category === 'payment').map(([, amount]) => -amount)).toEqual(
      expect.arrayContaining(amounts),
    );
    if (sum > 0) expect(owed).toBe(0);
  });
});
