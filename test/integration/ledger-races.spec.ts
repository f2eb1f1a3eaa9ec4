import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type AccountKey, type Posting, type PostingOutcome } from '../../src/modules/ledger/index.js';
import { LEDGER_LOCK } from '../../src/platform/transaction/index.js';
import { AlreadyAnsweredError } from '../../src/platform/idempotency/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { BY, codeOf, credit, TestLedger, transfer, usd } from '../support/ledger.js';

let database: TestDatabase;
/** Two processes' worth of ledgers: each its own pool, writer and memory. */
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

/** Every second one through the other process, all at once. */
function atOnce(postings: readonly Posting[]): Promise<PostingOutcome[]> {
  return Promise.all(postings.map((posting, index) => (index % 2 === 0 ? one : two).post(posting)));
}

function tally(outcomes: readonly PostingOutcome[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) counts[codeOf(outcome)] = (counts[codeOf(outcome)] ?? 0) + 1;
  return counts;
}

async function retries(): Promise<number> {
  const texts = await Promise.all([one, two].map(({ metrics }) => metrics.render()));
  return texts
    .map((text) => Number(/^holdfast_transactions_total\{outcome="retried"\} (\d+)$/m.exec(text)?.[1]))
    .reduce((a, b) => a + b, 0);
}

describe('two processes', () => {
  it('that move money to and fro by the thousand neither deadlock nor lose a cent, nor run anything again', async () => {
    const [a, b] = [await person(100_000), await person(100_000)];
    const before = await retries();
    const amounts = Array.from({ length: 2000 }, (_, index) => 1 + (index % 7));
    const outcomes = await atOnce(
      // 0 and 1 go through different processes in different directions, and so on.
      amounts.map((amount, index) => (index % 4 < 2 ? transfer(a, b, amount) : transfer(b, a, amount))),
    );
    expect(tally(outcomes)).toEqual({ posted: 2000 });
    const net = amounts.reduce((sum, amount, index) => sum + (index % 4 < 2 ? -amount : amount), 0);
    expect([await one.balanceOf(a), await two.balanceOf(b)]).toEqual([BigInt(100_000 + net), BigInt(100_000 - net)]);
    expect((await one.ledger.account(a))?.sequence).toBe(2001);
    expect((await retries()) - before).toBe(0);
  });

  it('let one of fifty debits through when the balance covers one', async () => {
    const [a, b] = [await person(10), await person(0)];
    const outcomes = await atOnce(Array.from({ length: 50 }, () => transfer(a, b, 10)));
    expect(tally(outcomes)).toEqual({ posted: 1, INSUFFICIENT_FUNDS: 49 });
    expect([await one.balanceOf(a), await one.balanceOf(b)]).toEqual([0n, 10n]);
  });

  it('reverse a transfer once', async () => {
    const [a, b] = [await person(10), await person(1000)];
    const outcome = await one.post(transfer(a, b, 10));
    if (!('posted' in outcome)) throw new Error(codeOf(outcome));
    const reverse = { type: 'reverse', transferId: outcome.posted.id } as const;
    expect(tally(await atOnce(Array.from({ length: 20 }, () => reverse)))).toEqual({ posted: 1, ALREADY_REVERSED: 19 });
    expect(await one.balanceOf(a)).toBe(10n);
  });

  it('resolve a hold once, captured and voided at the same moment', async () => {
    for (let round = 0; round < 10; round++) {
      const [a, b] = [await person(10), await person(0)];
      const placed = await one.post({ type: 'hold', account: a, credit: b, amount: usd(10n), expiresInSeconds: 60 });
      if (!('held' in placed)) throw new Error(codeOf(placed));
      const holdId = placed.held.id;
      const outcomes = await atOnce([
        { type: 'void', holdId },
        { type: 'capture', holdId },
        { type: 'capture', holdId, amount: 4n },
        { type: 'void', holdId },
      ]);
      const counts = tally(outcomes);
      expect((counts['CAPTURED'] ?? 0) + (counts['VOIDED'] ?? 0)).toBe(1);
      expect(counts['HOLD_ALREADY_RESOLVED']).toBe(3);
      expect((await one.ledger.account(a))?.held.minor).toBe(0n);
    }
  });

  it('resolve a hold once in the moment it expires, whoever comes first', async () => {
    const ends: string[] = [];
    for (let round = 0; round < 4; round++) {
      const [a, b] = [await person(10), await person(0)];
      const placed = await one.post({ type: 'hold', account: a, credit: b, amount: usd(10n), expiresInSeconds: 1 });
      if (!('held' in placed)) throw new Error(codeOf(placed));
      const { id, expiresAt } = placed.held;
      const until = expiresAt.getTime() - 2 + round;
      await one.dataSource.query(
        `SELECT pg_sleep(greatest(0, extract(epoch FROM $1::timestamptz - clock_timestamp())))`,
        [new Date(until)],
      );
      const [capture, void_] = await Promise.all([
        one.post({ type: 'capture', holdId: id }),
        two.post({ type: 'void', holdId: id }),
        two.sweep.sweep(),
      ]);
      await one.sweep.sweep();
      const hold = await one.ledger.hold(id);
      ends.push(hold?.status ?? 'gone');
      const won = [codeOf(capture), codeOf(void_)].filter((code) => code === 'CAPTURED' || code === 'VOIDED');
      expect(won).toEqual(hold?.status === 'EXPIRED' ? [] : [hold?.status]);
      expect(await one.ledger.account(a)).toMatchObject({
        held: usd(0),
        balance: usd(hold?.status === 'CAPTURED' ? 0 : 10),
      });
    }
    expect(ends.every((end) => ['CAPTURED', 'VOIDED', 'EXPIRED'].includes(end))).toBe(true);
  });

  it('use a reference once', async () => {
    const [a, b] = [await person(1000), await person(1000)];
    const outcomes = await atOnce(
      Array.from({ length: 20 }, (_, index) => ({
        ...(index % 3 === 0 ? transfer(a, b, 1) : credit(b, 1)),
        category: 'settle',
        reference: `payment-${count}`,
      })),
    );
    expect(tally(outcomes)).toEqual({ posted: 1, REFERENCE_ALREADY_USED: 19 });
  });

  it('carry out a key once, sent to both two hundred times, a tenth of them altered', async () => {
    const [a, b] = [await person(1000), await person(0)];
    const send = (index: number) =>
      (index % 2 === 0 ? one : two).ledger.submit({
        postings: [transfer(a, b, index % 10 === 9 ? 8 : 7)],
        mode: 'atomic',
        by: BY,
        claim: {
          scope: 'api-key:test:POST:/transfers',
          key: `two-hundred-${count}`,
          fingerprint: (index % 10 === 9 ? 'b' : 'a').repeat(64),
        },
        answer: ([outcome]) => ({ status: 201, contentType: 'text/plain', body: codeOf(outcome) }),
      });
    const settled = await Promise.allSettled(Array.from({ length: 200 }, (_, index) => send(index)));
    const carriedOut = settled.filter(({ status }) => status === 'fulfilled');
    const repeated = settled.filter(
      (each) => each.status === 'rejected' && each.reason instanceof AlreadyAnsweredError,
    );
    const refused = settled.filter((each) => each.status === 'rejected').filter((each) => !repeated.includes(each));
    expect(carriedOut).toHaveLength(1);
    for (const each of repeated) expect(each).toMatchObject({ reason: { answer: { body: 'posted' } } });
    expect([20, 180]).toContain(refused.length);
    for (const each of refused) expect(each.reason).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    expect([7n, 8n]).toContain(await one.balanceOf(b));
  });

  it('open one system account when both need it first', async () => {
    const people = await Promise.all(Array.from({ length: 6 }, (_, index) => one.fund(`first-${index}`, 0, 'SEK')));
    expect(tally(await atOnce(people.map((key) => credit(key, 5))))).toEqual({ posted: 6 });
    const [row] = await one.dataSource.query<{ count: number }[]>(
      `SELECT count(*)::integer AS count FROM ledger_accounts WHERE kind = 'system' AND currency = 'SEK'`,
    );
    expect(row?.count).toBe(1);
  });
});

describe('a transaction that posts on its own', () => {
  it.each([
    ['READ COMMITTED', {}],
    ['SERIALIZABLE', { lockTable: LEDGER_LOCK }],
  ] as const)('keeps its place in the order while others post, %s', async (isolation, lock) => {
    const [a, b] = [await person(1000), await person(0)];
    const before = await retries();
    const joined = Array.from({ length: 30 }, () =>
      two.transactor.run(
        async (tx) => {
          await tx.query('SELECT 1');
          return two.ledger.post(tx, { postings: [transfer(a, b, 2)], mode: 'atomic', by: BY });
        },
        { isolation, ...lock },
      ),
    );
    const submitted = Array.from({ length: 300 }, () => one.post(transfer(a, b, 1)));
    expect(tally((await Promise.all(joined)).flat())).toEqual({ posted: 30 });
    expect(tally(await Promise.all(submitted))).toEqual({ posted: 300 });
    expect([await one.balanceOf(a), await one.balanceOf(b)]).toEqual([640n, 360n]);
    expect((await retries()) - before).toBe(0);
  });

  it('uses a reference once against the batches of another process', async () => {
    const [a, b] = [await person(1000), await person(0)];
    const posting = { ...transfer(a, b, 1), category: 'settle', reference: `joined-${count}` } as Posting;
    const joined = Array.from({ length: 10 }, () =>
      two.transactor.run((tx) => two.ledger.post(tx, { postings: [posting], mode: 'atomic', by: BY }), {
        isolation: 'READ COMMITTED',
      }),
    );
    const submitted = Array.from({ length: 10 }, () => one.post(posting));
    const outcomes = [...(await Promise.all(joined)).flat(), ...(await Promise.all(submitted))];
    expect(tally(outcomes)).toEqual({ posted: 1, REFERENCE_ALREADY_USED: 19 });
  });
});
