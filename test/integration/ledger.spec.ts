import type { EntityManager } from 'typeorm';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Currency } from '../../src/kernel/currency.js';
import {
  type AccountKey,
  type HoldId,
  type Posting,
  systemAccount,
  type TransferId,
  userAccount,
} from '../../src/modules/ledger/index.js';
import { AlreadyAnsweredError } from '../../src/platform/idempotency/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { READ_COMMITTED } from '../../src/platform/transaction/index.js';
import { BY, codeOf, credit, TestLedger, transfer, usd } from '../support/ledger.js';
import { waitFor } from '../support/wait-for.js';

let database: TestDatabase;
let test: TestLedger;
let count = 0;
let alice: AccountKey;
let bob: AccountKey;

beforeAll(async () => {
  database = await createTestDatabase();
  test = await TestLedger.open(database.url);
});

afterAll(async () => {
  try {
    if (test) expect((await test.integrity.check()).violations).toEqual([]);
  } finally {
    await test?.close();
    await database?.drop();
  }
});

/** Two people of this test's own, alice with 100. */
beforeEach(async () => {
  count += 1;
  alice = await test.fund(`alice-${count}`, 100);
  bob = await test.fund(`bob-${count}`, 0);
});

async function metric(line: string): Promise<number> {
  const found = (await test.metrics.render()).split('\n').find((each) => each.startsWith(line));
  return Number(found?.split(' ').at(-1) ?? 0);
}

async function auditOf(subject: string): Promise<{ actor: string; action: string; details: unknown }[]> {
  return test.dataSource.query('SELECT actor, action, details FROM audit_log WHERE subject = $1', [subject]);
}

async function holdOf(posting: Extract<Posting, { type: 'hold' }>): Promise<HoldId> {
  const outcome = await test.post(posting);
  if (!('held' in outcome)) throw new Error(codeOf(outcome));
  return outcome.held.id;
}

function hold(amount: number, expiresInSeconds = 600): Extract<Posting, { type: 'hold' }> {
  return { type: 'hold', account: alice, credit: bob, amount: usd(amount), expiresInSeconds };
}

/** Moves its time into the past, as no caller can: past the triggers. */
async function expire(id: string, column: 'id' | 'account' = 'id'): Promise<void> {
  await test.transactor.run(async (tx) => {
    await tx.query('ALTER TABLE ledger_holds DISABLE TRIGGER USER');
    await tx.query(`UPDATE ledger_holds SET expires_at = now() - interval '1 second' WHERE ${column} = $1`, [id]);
    await tx.query('ALTER TABLE ledger_holds ENABLE TRIGGER USER');
    await tx.query('ALTER TABLE ledger_holds ENABLE ALWAYS TRIGGER ledger_holds_refuse_change');
  });
}

/** As its row says. */
async function statusOf(holdId: string): Promise<string | undefined> {
  const [row] = await test.dataSource.query<{ status: string }[]>('SELECT status FROM ledger_holds WHERE id = $1', [
    holdId,
  ]);
  return row?.status;
}

describe('accounts', () => {
  it('are opened once; the second time answers the first', async () => {
    const key = userAccount(`carol-${count}`, 'EUR');
    const first = await test.open(key);
    const second = await test.open({ ...key, allowNegative: true });
    expect([first.created, second.created]).toEqual([true, false]);
    expect(second.account).toMatchObject({
      id: first.account.id,
      allowNegative: false,
      balance: { minor: 0n, currency: 'EUR' },
      sequence: 0,
    });
    expect(await auditOf(`ledger-account:${first.account.id}`)).toEqual([
      {
        actor: BY.actor,
        action: 'ledger_account.opened',
        details: { kind: 'user', owner: key.owner, currency: 'EUR' },
      },
    ]);
  });

  it.each([
    [userAccount('carol', 'XXX' as Currency), 'UNKNOWN_CURRENCY'],
    [userAccount('', 'USD'), 'VALIDATION_FAILED'],
    [userAccount('a\0', 'USD'), 'VALIDATION_FAILED'],
    [userAccount('a'.repeat(256), 'USD'), 'VALIDATION_FAILED'],
  ])('are not opened as %o', async (key, code) => {
    await expect(test.open(key)).rejects.toMatchObject({ code });
  });

  it('of the system open themselves, one for each currency, and may go below zero', async () => {
    const key = await test.fund(`dora-${count}`, 12, 'CHF');
    expect(await test.balanceOf(systemAccount('external', 'CHF'))).toBe(-12n);
    expect(codeOf(await test.post(transfer(key, systemAccount('suspense', 'CHF'), 2)))).toBe('posted');
    const opened = await test.ledger.account(systemAccount('suspense', 'CHF'));
    expect(opened).toMatchObject({ balance: { minor: 2n, currency: 'CHF' }, allowNegative: true });
    expect(await auditOf(`ledger-account:${opened?.id}`)).toMatchObject([{ actor: 'system:ledger' }]);
  });

  it('that do not exist are answered 404, and not opened', async () => {
    const nobody = userAccount(`nobody-${count}`, 'USD');
    const unknown = { kind: 'system', owner: 'nonsense', currency: 'USD' } as const;
    for (const posting of [credit(nobody, 1), transfer(alice, nobody, 1), transfer(alice, unknown, 1)]) {
      expect(codeOf(await test.post(posting))).toBe('NOT_FOUND');
    }
    expect(await test.ledger.account(nobody)).toBeUndefined();
    expect(await test.ledger.balanceAt(nobody, new Date())).toBeUndefined();
    expect(await test.ledger.statement(nobody, { limit: 10 })).toBeUndefined();
    expect(await test.ledger.account(userAccount('a\0', 'USD'))).toBeUndefined();
  });

  it('that are frozen take part in nothing until they are thawed', async () => {
    const { owner } = alice;
    const set = (status: 'FROZEN' | 'OPEN') =>
      test.transactor.run((tx) => test.ledger.setStatus(tx, { owner }, status, BY, 'asked to'), READ_COMMITTED);
    expect(await set('FROZEN')).toMatchObject([{ owner, status: 'FROZEN' }]);
    expect(await set('FROZEN')).toMatchObject([{ owner, status: 'FROZEN' }]);
    expect(codeOf(await test.post(transfer(alice, bob, 1)))).toBe('ACCOUNT_FROZEN');
    expect(codeOf(await test.post(credit(alice, 1)))).toBe('ACCOUNT_FROZEN');
    expect(await set('OPEN')).toMatchObject([{ owner, status: 'OPEN' }]);
    expect(codeOf(await test.post(transfer(alice, bob, 1)))).toBe('posted');
    const id = (await test.ledger.account(alice))?.id;
    expect((await auditOf(`ledger-account:${id}`)).map(({ action }) => action)).toEqual([
      'ledger_account.opened',
      'ledger_account.frozen',
      'ledger_account.thawed',
    ]);
  });

  it('asked for at the same moment are read by few statements', async () => {
    const before = await metric('holdfast_coalescer_batch_size_count{coalescer="ledger_reads"}');
    const reads = await Promise.all(
      Array.from({ length: 100 }, (_, index) => test.ledger.account(index % 2 === 0 ? alice : bob)),
    );
    expect(reads.map((account) => account?.balance.minor)).toEqual(
      Array.from({ length: 100 }, (_, index) => (index % 2 === 0 ? 100n : 0n)),
    );
    const after = await metric('holdfast_coalescer_batch_size_count{coalescer="ledger_reads"}');
    expect(after - before).toBeLessThan(5);
  });
});

describe('a transfer', () => {
  it('moves money, is read back whole, and both statements tell of it', async () => {
    const outcome = await test.post({
      ...transfer(alice, bob, 30),
      description: 'for the "room"',
      category: 'rent',
      reference: `r-${count}`,
      metadata: { room: [12, 'ü\\'] },
    } as Posting);
    if (!('posted' in outcome)) throw new Error(codeOf(outcome));
    const { posted } = outcome;
    expect(posted).toMatchObject({
      debitBalanceAfter: 70n,
      debitSequence: 2,
      creditBalanceAfter: 30n,
      creditSequence: 1,
    });
    expect(await test.ledger.transfer(posted.id)).toEqual(posted);
    expect([await test.balanceOf(alice), await test.balanceOf(bob)]).toEqual([70n, 30n]);
    expect((await test.ledger.statement(alice, { limit: 1 }))?.data).toMatchObject([
      { amount: usd(-30), balanceAfter: usd(70), sequence: 2, counterparty: bob, transfer: posted },
    ]);
    expect((await test.ledger.statement(bob, { limit: 5 }))?.data).toMatchObject([
      { amount: usd(30), balanceAfter: usd(30), sequence: 1, counterparty: alice },
    ]);
  });

  it('is on the audit log, with who, from where, how much and between whom', async () => {
    const outcome = await test.post(transfer(alice, bob, 30));
    if (!('posted' in outcome)) throw new Error(codeOf(outcome));
    const { id } = outcome.posted;
    expect(await auditOf(`ledger-transfer:${id}`)).toEqual([
      {
        actor: BY.actor,
        action: 'ledger.posted',
        details: { postings: [`TRANSFER ${id}: 30 USD, user:${alice.owner} > user:${bob.owner}`] },
      },
    ]);
  });

  it('that is refused leaves nothing but the refusal, which is counted', async () => {
    const name = 'holdfast_ledger_refusals_total{code="INSUFFICIENT_FUNDS"}';
    const before = await metric(name);
    expect(codeOf(await test.post(transfer(alice, bob, 101)))).toBe('INSUFFICIENT_FUNDS');
    expect(await test.balanceOf(alice)).toBe(100n);
    expect((await test.ledger.statement(bob, { limit: 5 }))?.data).toEqual([]);
    expect((await metric(name)) - before).toBe(1);
  });

  it('uses its reference up, for every account', async () => {
    const once = (posting: Posting, category?: string) =>
      test.post({ ...posting, category, reference: `once-${count}` } as Posting);
    expect(codeOf(await once(transfer(alice, bob, 1), 'settle'))).toBe('posted');
    expect(codeOf(await once(transfer(bob, alice, 1), 'settle'))).toBe('REFERENCE_ALREADY_USED');
    expect(codeOf(await once(transfer(bob, alice, 1)))).toBe('posted');
    expect(codeOf(await once(transfer(alice, bob, 1)))).toBe('REFERENCE_ALREADY_USED');
  });

  it('is posted with its whole batch or not at all, when the batch is atomic', async () => {
    const postings = [transfer(alice, bob, 60), transfer(alice, bob, 60), transfer(alice, bob, 1)];
    const atomic = await test.ledger.submit({ postings, mode: 'atomic', by: BY });
    expect(atomic.outcomes?.map(codeOf)).toEqual(['BATCH_REJECTED', 'INSUFFICIENT_FUNDS', 'BATCH_REJECTED']);
    expect(await test.balanceOf(alice)).toBe(100n);
    const independent = await test.ledger.submit({ postings, mode: 'independent', by: BY });
    expect(independent.outcomes?.map(codeOf)).toEqual(['posted', 'INSUFFICIENT_FUNDS', 'posted']);
    expect(await test.balanceOf(alice)).toBe(39n);
  });

  it('that no database could store fails alone: its neighbours of the same moment are posted', async () => {
    const circle: Record<string, unknown> = {};
    const good = Array.from({ length: 20 }, () => test.post(transfer(alice, bob, 1)));
    const bad = test.ledger.submit({
      postings: [transfer(alice, bob, 1)],
      mode: 'atomic',
      by: BY,
      answer: () => ({ status: 201, contentType: '', body: JSON.stringify((circle['self'] = circle)) }),
    });
    const more = Array.from({ length: 20 }, () => test.post(transfer(alice, bob, 1)));
    await expect(bad).rejects.toThrow('circular');
    expect((await Promise.all([...good, ...more])).map(codeOf)).toEqual(Array.from({ length: 40 }, () => 'posted'));
    expect(await test.balanceOf(alice)).toBe(60n);
  });
});

describe('a key', () => {
  const claim = (fingerprint = 'a1') => ({
    scope: 'api-key:test:POST:/transfers',
    key: `key-of-test-${count}`,
    fingerprint: fingerprint.padEnd(64, '0'),
  });

  function keyed(amount: number, fingerprint?: string) {
    return test.ledger.submit({
      postings: [transfer(alice, bob, amount)],
      mode: 'atomic',
      by: BY,
      claim: claim(fingerprint),
      answer: ([outcome]) => ({ status: 201, contentType: 'text/plain', body: `${codeOf(outcome)} of ${count}` }),
    });
  }

  it('moves money once, and every repeat reads the first answer', async () => {
    const first = await keyed(10);
    const repeat = await keyed(10).catch((error: unknown) => error);
    expect(first).toMatchObject({ answer: { body: `posted of ${count}` }, createdAt: expect.any(Date) });
    expect(repeat).toBeInstanceOf(AlreadyAnsweredError);
    expect(repeat).toMatchObject({ answer: { ...first.answer, createdAt: first.createdAt } });
    expect(await test.balanceOf(alice)).toBe(90n);
  });

  it('sent twice in one moment moves money once', async () => {
    const all = await Promise.allSettled(Array.from({ length: 20 }, () => keyed(10)));
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const each of all) {
      const told: unknown = each.status === 'fulfilled' ? each.value : each.reason;
      expect(told).toMatchObject({ answer: { body: `posted of ${count}` } });
    }
    expect(await test.balanceOf(alice)).toBe(90n);
  });

  it('with another request is refused, before and in the same moment', async () => {
    const [first, other] = await Promise.allSettled([keyed(10), keyed(20, 'b2')]);
    expect(first).toMatchObject({ status: 'fulfilled' });
    expect(other).toMatchObject({ status: 'rejected', reason: { code: 'IDEMPOTENCY_KEY_REUSED' } });
    await expect(keyed(20, 'b2')).rejects.toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED' });
    expect(await test.balanceOf(alice)).toBe(90n);
  });

  it('of a refusal repeats the refusal, even once there would be funds', async () => {
    expect((await keyed(500)).answer?.body).toContain('INSUFFICIENT_FUNDS');
    await test.post(credit(alice, 1000));
    await expect(keyed(500)).rejects.toMatchObject({ answer: { body: `INSUFFICIENT_FUNDS of ${count}` } });
    expect(await test.balanceOf(alice)).toBe(1100n);
  });

  it('is free again after its time, as is every key', async () => {
    await keyed(10);
    await test.dataSource.query(`UPDATE idempotency_records SET expires_at = now() WHERE key = $1`, [claim().key]);
    expect((await keyed(10)).outcomes.map(codeOf)).toEqual(['posted']);
    expect(await test.balanceOf(alice)).toBe(80n);
  });
});

describe('a hold', () => {
  it('reserves, is captured in part, and releases the rest', async () => {
    const id = await holdOf(hold(60));
    expect(await test.ledger.account(alice)).toMatchObject({ balance: usd(100), held: usd(60), available: usd(40) });
    expect(codeOf(await test.post(transfer(alice, bob, 41)))).toBe('INSUFFICIENT_FUNDS');
    const outcome = await test.post({ type: 'capture', holdId: id, amount: 25n });
    if (!('held' in outcome)) throw new Error(codeOf(outcome));
    expect(outcome.transfer).toMatchObject({ kind: 'CAPTURE', amount: usd(25), holdId: id });
    expect(await test.ledger.hold(id)).toEqual(outcome.held);
    expect(outcome.held).toMatchObject({ status: 'CAPTURED', captured: usd(25), transferId: outcome.transfer?.id });
    expect(await test.ledger.account(alice)).toMatchObject({ balance: usd(75), held: usd(0) });
    expect(await test.balanceOf(bob)).toBe(25n);
    expect(codeOf(await test.post({ type: 'void', holdId: id }))).toBe('HOLD_ALREADY_RESOLVED');
  });

  it('is captured, voided and placed anew in one batch, to the last cent', async () => {
    const [one, two] = [await holdOf(hold(50)), await holdOf(hold(50))];
    const { outcomes } = await test.ledger.submit({
      postings: [{ type: 'capture', holdId: one }, { type: 'void', holdId: two }, hold(50), transfer(alice, bob, 1)],
      mode: 'independent',
      by: BY,
    });
    expect(outcomes?.map(codeOf)).toEqual(['CAPTURED', 'VOIDED', 'ACTIVE', 'INSUFFICIENT_FUNDS']);
    expect(await test.ledger.account(alice)).toMatchObject({ balance: usd(50), held: usd(50) });
  });

  it('that expired is over in every read, without any sweep: its money is available and it says so', async () => {
    const [over, stands] = [await holdOf(hold(60)), await holdOf(hold(25))];
    await expire(over);
    expect(await test.ledger.account(alice)).toMatchObject({ balance: usd(100), held: usd(25), available: usd(75) });
    const found = await test.ledger.hold(over);
    expect(found).toMatchObject({ status: 'EXPIRED', captured: null, transferId: null });
    expect(found?.resolvedAt).toEqual(found?.expiresAt);
    expect(await test.ledger.hold(stands)).toMatchObject({ status: 'ACTIVE', resolvedAt: null });
    expect((await test.integrity.check()).violations).toEqual([]);
  });

  it('that expired cannot be captured or voided, before and after it was tidied away', async () => {
    const id = await holdOf(hold(60));
    await expire(id);
    expect(codeOf(await test.post({ type: 'capture', holdId: id }))).toBe('HOLD_EXPIRED');
    expect(codeOf(await test.post({ type: 'void', holdId: id }))).toBe('HOLD_EXPIRED');
    expect(await statusOf(id)).toBe('EXPIRED');
    expect(codeOf(await test.post({ type: 'capture', holdId: id }))).toBe('HOLD_EXPIRED');
    expect(await test.ledger.account(alice)).toMatchObject({ held: usd(0), balance: usd(100) });
  });

  it("that expired stands in nobody's way: what was held can be moved, held anew and given back", async () => {
    const expiredHoldOf = async (amount: number) => expire(await holdOf(hold(amount)));
    await expiredHoldOf(100);
    expect(codeOf(await test.post(hold(100, 600)))).toBe('ACTIVE');
    await test.post(credit(alice, 100));
    await expiredHoldOf(100);
    expect(codeOf(await test.post(transfer(alice, bob, 100)))).toBe('posted');
    const received = await test.post(credit(alice, 50));
    if (!('posted' in received)) throw new Error(codeOf(received));
    await expiredHoldOf(50);
    expect(codeOf(await test.post({ type: 'reverse', transferId: received.posted.id }))).toBe('posted');
    expect(await test.ledger.account(alice)).toMatchObject({ balance: usd(100), held: usd(100) });
  });

  it("that expired is resolved by whatever moves on its account next, on the audit log as the ledger's own doing", async () => {
    const name = 'holdfast_ledger_postings_total{type="expire"}';
    const before = await metric(name);
    const [one, two] = [await holdOf(hold(30)), await holdOf(hold(20))];
    await expire(one);
    await expire(two);
    expect(codeOf(await test.post(transfer(alice, bob, 1)))).toBe('posted');
    expect([await statusOf(one), await statusOf(two)]).toEqual(['EXPIRED', 'EXPIRED']);
    expect((await metric(name)) - before).toBe(2);
    const lines = await test.dataSource.query<{ actor: string; action: string }[]>(
      `SELECT actor, action FROM audit_log
       WHERE details::text LIKE '%EXPIRE ' || $1 || ': 30 USD, user:%' AND details::text LIKE '%EXPIRE ' || $2 || '%'`,
      [one, two],
    );
    expect(lines).toEqual([{ actor: 'system:ledger', action: 'ledger.posted' }]);
  });

  it('that expired is over for a refused request too, and stays so', async () => {
    const id = await holdOf(hold(60));
    await expire(id);
    expect(codeOf(await test.post(transfer(alice, bob, 101)))).toBe('INSUFFICIENT_FUNDS');
    expect(await statusOf(id)).toBe('EXPIRED');
    expect(codeOf(await test.post(transfer(alice, bob, 100)))).toBe('posted');
  });

  it('that expired is over in the transaction of a caller, and comes back with its rollback', async () => {
    const id = await holdOf(hold(100));
    await expire(id);
    const post = (tx: EntityManager) =>
      test.ledger.post(tx, { postings: [transfer(alice, bob, 100)], mode: 'atomic', by: BY });
    const failed = test.transactor.run(async (tx) => {
      expect((await post(tx)).map(codeOf)).toEqual(['posted']);
      throw new Error('changed my mind');
    });
    await expect(failed).rejects.toThrow('changed my mind');
    expect(await statusOf(id)).toBe('ACTIVE');
    expect((await test.transactor.run(post, { isolation: 'READ COMMITTED' })).map(codeOf)).toEqual(['posted']);
    expect(await statusOf(id)).toBe('EXPIRED');
  });

  it('by the thousand, all expired on one account, are released together', async () => {
    await test.post(credit(alice, 2900));
    const placing = Array.from({ length: 3 }, () =>
      test.ledger.submit({ postings: Array.from({ length: 1000 }, () => hold(1)), mode: 'atomic', by: BY }),
    );
    expect((await Promise.all(placing)).flatMap(({ outcomes }) => outcomes?.map(codeOf))).toEqual(
      Array.from({ length: 3000 }, () => 'ACTIVE'),
    );
    await expire((await test.ledger.account(alice))?.id ?? '', 'account');
    expect(codeOf(await test.post(transfer(alice, bob, 3000)))).toBe('posted');
    expect(await test.ledger.account(alice)).toMatchObject({ balance: usd(0), held: usd(0) });
  });

  it('that expired where nothing moves is tidied by the sweep', async () => {
    await test.sweep.sweep();
    const ids = [await holdOf(hold(60)), await holdOf(hold(20))];
    for (const id of ids) await expire(id);
    expect(await test.sweep.sweep()).toBe(2);
    expect(await test.sweep.sweep()).toBe(0);
    expect(await Promise.all(ids.map(statusOf))).toEqual(['EXPIRED', 'EXPIRED']);
    expect(await auditOf(`ledger-hold:${ids[0]}`)).toMatchObject([{ action: 'ledger.posted', actor: BY.actor }]);
    const [line] = await test.dataSource.query<{ actor: string }[]>(
      `SELECT actor FROM audit_log WHERE details::text LIKE '%EXPIRE ' || $1 || '%'`,
      [ids[0]],
    );
    expect(line).toEqual({ actor: 'system:ledger' });
  });

  it('expires by the clock of the database', async () => {
    const id = await holdOf(hold(60, 1));
    const found = await waitFor(
      async () => {
        const read = await test.ledger.hold(id);
        return read?.status === 'EXPIRED' ? read : undefined;
      },
      { what: 'the end of the hold' },
    );
    expect(found.resolvedAt).toEqual(found.expiresAt);
    expect(await statusOf(id)).toBe('ACTIVE');
    expect(codeOf(await test.post(transfer(alice, bob, 100)))).toBe('posted');
    expect(await statusOf(id)).toBe('EXPIRED');
  });
});

describe('a reversal', () => {
  it('is posted once, and not by itself reversed', async () => {
    const outcome = await test.post(transfer(alice, bob, 30));
    if (!('posted' in outcome)) throw new Error(codeOf(outcome));
    const reversal = await test.post({ type: 'reverse', transferId: outcome.posted.id });
    if (!('posted' in reversal)) throw new Error(codeOf(reversal));
    expect(reversal.posted).toMatchObject({ kind: 'REVERSAL', reverses: outcome.posted.id, debit: bob, credit: alice });
    expect(codeOf(await test.post({ type: 'reverse', transferId: outcome.posted.id }))).toBe('ALREADY_REVERSED');
    expect(codeOf(await test.post({ type: 'reverse', transferId: reversal.posted.id }))).toBe(
      'REVERSAL_NOT_REVERSIBLE',
    );
    expect([await test.balanceOf(alice), await test.balanceOf(bob)]).toEqual([100n, 0n]);
  });

  it('fails while whoever received the money has spent it', async () => {
    const outcome = await test.post(transfer(alice, bob, 30));
    if (!('posted' in outcome)) throw new Error(codeOf(outcome));
    await test.post(transfer(bob, systemAccount('external', 'USD'), 1));
    expect(codeOf(await test.post({ type: 'reverse', transferId: outcome.posted.id }))).toBe('INSUFFICIENT_FUNDS');
  });
});

describe('in a transaction of the caller', () => {
  it('what is posted commits with it', async () => {
    const outcomes = await test.transactor.run((tx) =>
      test.ledger.post(tx, { postings: [transfer(alice, bob, 10), hold(5)], mode: 'atomic', by: BY }),
    );
    expect(outcomes.map(codeOf)).toEqual(['posted', 'ACTIVE']);
    expect(await test.ledger.account(alice)).toMatchObject({ balance: usd(90), held: usd(5) });
  });

  it('what is posted goes when it rolls back, accounts that opened themselves too', async () => {
    const disputes = systemAccount('disputes', 'JPY');
    const rich = await test.fund(`rich-${count}`, 50, 'JPY');
    const failed = test.transactor.run(async (tx) => {
      const outcomes = await test.ledger.post(tx, { postings: [transfer(rich, disputes, 10)], mode: 'atomic', by: BY });
      expect(outcomes.map(codeOf)).toEqual(['posted']);
      throw new Error('changed my mind');
    });
    await expect(failed).rejects.toThrow('changed my mind');
    expect(await test.ledger.account(disputes)).toBeUndefined();
    expect(await test.balanceOf(rich)).toBe(50n);
    expect(codeOf(await test.post(transfer(rich, disputes, 10)))).toBe('posted');
  });

  it('what one call posted the next one sees', async () => {
    const codes = await test.transactor.run(async (tx) => {
      const post = async (posting: Posting) =>
        codeOf((await test.ledger.post(tx, { postings: [posting], mode: 'atomic', by: BY }))[0]);
      return [
        await post(transfer(alice, bob, 100)),
        await post(transfer(alice, bob, 1)),
        await post(transfer(bob, alice, 3)),
      ];
    });
    expect(codes).toEqual(['posted', 'INSUFFICIENT_FUNDS', 'posted']);
  });

  it('outside of one nothing can be posted', async () => {
    const { manager } = test.dataSource;
    await expect(
      test.ledger.post(manager, { postings: [transfer(alice, bob, 1)], mode: 'atomic', by: BY }),
    ).rejects.toThrow();
    expect(await test.balanceOf(alice)).toBe(100n);
  });
});

describe('the past', () => {
  it('is told by the last entry and the holds of the moment', async () => {
    const times: Date[] = [];
    for (let step = 0; step < 9; step++) {
      const outcome = await test.post(transfer(alice, bob, 10));
      if (!('posted' in outcome)) throw new Error(codeOf(outcome));
      times.push(outcome.posted.createdAt);
      await test.dataSource.query('SELECT pg_sleep(0.002)');
    }
    const id = await holdOf(hold(7));
    const placed = (await test.ledger.hold(id))?.createdAt ?? new Date(0);
    await test.dataSource.query('SELECT pg_sleep(0.002)');
    await test.post({ type: 'void', holdId: id });
    for (const [index, at] of times.entries()) {
      expect(await test.ledger.balanceAt(alice, at)).toMatchObject({
        balance: usd(90 - 10 * index),
        held: usd(0),
        asOf: at,
      });
      expect(await test.ledger.balanceAt(bob, at)).toMatchObject({ balance: usd(10 + 10 * index) });
    }
    expect(await test.ledger.balanceAt(alice, placed)).toMatchObject({
      balance: usd(10),
      held: usd(7),
      available: usd(3),
    });
    expect(await test.ledger.balanceAt(alice, new Date('2020-01-01'))).toMatchObject({ balance: usd(0), held: usd(0) });
  });

  it('counts a hold up to the moment it expired, whenever it was tidied away', async () => {
    await test.sweep.sweep();
    const id = await holdOf(hold(7, 1));
    const { createdAt, expiresAt } = (await test.ledger.hold(id)) ?? { createdAt: new Date(0), expiresAt: new Date(0) };
    await waitFor(async () => (await test.ledger.hold(id))?.status === 'EXPIRED', { what: 'the end of the hold' });
    const told = async () => [
      (await test.ledger.balanceAt(alice, createdAt))?.held.minor,
      (await test.ledger.balanceAt(alice, new Date(expiresAt.getTime() - 1)))?.held.minor,
      (await test.ledger.balanceAt(alice, expiresAt))?.held.minor,
    ];
    expect(await told()).toEqual([7n, 7n, 0n]);
    await test.dataSource.query('SELECT pg_sleep(0.02)');
    expect(await test.sweep.sweep()).toBe(1);
    expect(await told()).toEqual([7n, 7n, 0n]);
  });

  it('is listed newest first, page by page, each entry once', async () => {
    await Promise.all(Array.from({ length: 24 }, () => test.post(transfer(alice, bob, 1))));
    const sequences: number[] = [];
    let cursor: string | null | undefined;
    while (cursor !== null) {
      const page = await test.ledger.statement(alice, { limit: 7, cursor });
      sequences.push(...(page?.data.map(({ sequence }) => sequence) ?? []));
      cursor = page?.nextCursor ?? null;
    }
    expect(sequences).toEqual(Array.from({ length: 25 }, (_, index) => 25 - index));
    await expect(test.ledger.statement(alice, { limit: 7, cursor: 'nonsense' })).rejects.toMatchObject({ status: 400 });
  });

  it('of unknown ids is empty', async () => {
    expect(await test.ledger.transfer('01900000-0000-7000-8000-000000000000' as TransferId)).toBeUndefined();
    expect(await test.ledger.hold('01900000-0000-7000-8000-000000000000' as HoldId)).toBeUndefined();
  });
});
