import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '../../src/kernel/ids.js';
import { systemAccount } from '../../src/modules/ledger/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { codeOf, TestLedger, transfer, usd } from '../support/ledger.js';

let database: TestDatabase;
let test: TestLedger;
let a: string;
let b: string;
let euro: string;
let hold: string;
let posted: string;

/** Alice has 100 and 30 of it held; Bob received 5 from her. */
beforeAll(async () => {
  database = await createTestDatabase();
  test = await TestLedger.open(database.url);
  const [alice, bob, foreigner] = [
    await test.fund('alice', 105),
    await test.fund('bob', 0),
    await test.fund('eve', 0, 'EUR'),
  ];
  const outcome = await test.post(transfer(alice, bob, 5));
  const placed = await test.post({
    type: 'hold',
    account: alice,
    credit: bob,
    amount: usd(30n),
    expiresInSeconds: 600,
  });
  if (!('posted' in outcome) || !('held' in placed)) throw new Error(codeOf(outcome));
  [posted, hold] = [outcome.posted.id, placed.held.id];
  [a = '', b = '', euro = ''] = await Promise.all(
    [alice, bob, foreigner].map(async (key) => (await test.ledger.account(key))?.id ?? ''),
  );
});

afterAll(async () => {
  try {
    expect((await test.integrity.check()).violations).toEqual([]);
    expect(await test.balanceOf(systemAccount('external', 'USD'))).toBe(-105n);
  } finally {
    await test?.close();
    await database?.drop();
  }
});

interface Row {
  id?: string;
  debit: string;
  credit: string;
  amount?: number;
  debitSequence?: number;
  creditSequence?: number;
  debitAfter?: number;
  creditAfter?: number;
  currency?: string;
  kind?: string;
  at?: string;
  reverses?: string | null;
  hold?: string | null;
}

/** The next transfer of 1 from Alice to Bob, rightly made but for `row`. */
function insert(...rows: Partial<Row>[]): Promise<unknown> {
  const whole = rows.map((row) => ({
    id: newId(),
    debit: a,
    credit: b,
    amount: 1,
    debitSequence: 3,
    creditSequence: 2,
    debitAfter: 99,
    creditAfter: 6,
    currency: 'USD',
    kind: 'TRANSFER',
    at: '2999-01-01T00:00:00Z',
    reverses: null,
    hold: null,
    ...row,
  }));
  return test.transactor.run(async (tx) => {
    await tx.query(
      `
      INSERT INTO ledger_transfers (
        id, debit_account, credit_account, amount, debit_sequence, credit_sequence, debit_balance_after,
        credit_balance_after, currency, kind, actor, created_at, reverses, hold
      )
      SELECT
        id, debit, credit, amount, "debitSequence", "creditSequence", "debitAfter", "creditAfter", currency, kind, 'test', at,
        reverses, hold
      FROM json_to_recordset($1) AS row (
        id uuid, debit uuid, credit uuid, amount bigint, "debitSequence" bigint, "creditSequence" bigint,
        "debitAfter" bigint, "creditAfter" bigint, currency text, kind text, at timestamptz, reverses uuid, hold uuid
      )`,
      [JSON.stringify(whole)],
    );
    throw new Passed();
  });
}

/** What the database let through; rolled back, so that each test begins alike. */
class Passed extends Error {}

function statement(sql: string, parameters: unknown[] = []): Promise<unknown> {
  return test.transactor.run(async (tx) => {
    await tx.query(sql, parameters);
    await tx.query('SET CONSTRAINTS ALL IMMEDIATE');
    throw new Passed();
  });
}

describe('the database takes a transfer', () => {
  it('that continues both accounts', async () => {
    await expect(insert({})).rejects.toThrow(Passed);
    await expect(insert({}, { debitSequence: 4, debitAfter: 98, creditSequence: 3, creditAfter: 7 })).rejects.toThrow(
      Passed,
    );
  });

  it.each<[string, Partial<Row>[]]>([
    ['makes money on the side of the credit', [{ creditAfter: 7 }]],
    ['takes none on the side of the debit', [{ debitAfter: 100 }]],
    ['skips a sequence', [{ debitSequence: 4 }]],
    ['repeats a sequence', [{ creditSequence: 1 }]],
    [
      'breaks the chain inside of a batch',
      [{}, { debitSequence: 4, debitAfter: 99, creditSequence: 3, creditAfter: 7 }],
    ],
    ['leaves a gap inside of a batch', [{}, { debitSequence: 5, debitAfter: 98, creditSequence: 3, creditAfter: 7 }]],
    ['names an account that is not there', [{ credit: newId(), creditSequence: 1, creditAfter: 1 }]],
    ['changes the currency on the way', [{ credit: euro ?? '', creditSequence: 1, creditAfter: 1 }]],
    ['says another currency than its accounts', [{ currency: 'EUR' }]],
    ['goes back in time', [{ at: '2020-01-01T00:00:00Z' }]],
    ['moves nothing', [{ amount: 0, debitAfter: 100, creditAfter: 5 }]],
    ['moves less than nothing', [{ amount: -1, debitAfter: 101, creditAfter: 4 }]],
    ['moves to where it comes from', [{ credit: 'debit' }]],
    ['overdraws', [{ amount: 101, debitAfter: -1, creditAfter: 106 }]],
    ['spends what is held', [{ amount: 71, debitAfter: 29, creditAfter: 76 }]],
    ['is of an unknown kind', [{ kind: 'GIFT' }]],
    ['calls itself a reversal of nothing', [{ kind: 'REVERSAL' }]],
    ['reverses a transfer it does not mirror', [{ kind: 'REVERSAL', reverses: 'posted' }]],
    ['captures a hold that is not captured', [{ kind: 'CAPTURE', hold: 'hold' }]],
  ])('never one that %s', async (_, rows) => {
    const named = rows.map((row) => ({
      ...row,
      // Ids are known only once the test runs.
      ...(row.credit === 'debit' && { credit: a }),
      ...(row.credit === '' && { credit: euro }),
      ...(row.reverses && { reverses: posted }),
      ...(row.hold && { hold }),
    }));
    await expect(insert(...named)).rejects.toMatchObject({ code: expect.stringMatching(/^23/) });
  });

  it('that reverses another once only', async () => {
    const mirror = {
      debit: b,
      credit: a,
      kind: 'REVERSAL',
      reverses: posted,
      amount: 5,
      debitSequence: 2,
      debitAfter: 0,
      creditSequence: 3,
      creditAfter: 105,
    };
    await expect(insert(mirror)).rejects.toThrow(Passed);
    await expect(insert({ ...mirror, amount: 4, debitAfter: 1, creditAfter: 104 })).rejects.toMatchObject({
      code: '23000',
    });
    const again = { ...mirror, debitSequence: 3, creditSequence: 4, debitAfter: -5, creditAfter: 110 };
    await expect(insert(mirror, again)).rejects.toMatchObject({ code: '23505' });
  });
});

describe('the database refuses', () => {
  it.each([
    `UPDATE ledger_transfers SET amount = 1`,
    `UPDATE ledger_transfers SET description = 'changed'`,
    `DELETE FROM ledger_transfers`,
    `TRUNCATE ledger_transfers CASCADE`,
    `UPDATE ledger_entries SET amount = 1`,
    `DELETE FROM ledger_entries`,
    `TRUNCATE ledger_entries`,
    `INSERT INTO ledger_entries SELECT account, sequence + 9, transfer, amount, balance_after, created_at FROM ledger_entries`,
    `UPDATE ledger_accounts SET balance = balance + 1`,
    `UPDATE ledger_accounts SET held = 0`,
    `UPDATE ledger_accounts SET sequence = 0`,
    `UPDATE ledger_accounts SET last_entry_at = now()`,
    `UPDATE ledger_accounts SET owner = 'mallory'`,
    `UPDATE ledger_accounts SET allow_negative = true`,
    `UPDATE ledger_accounts SET debt_account = gen_random_uuid()`,
    `UPDATE ledger_accounts SET debt_account = NULL`,
    `INSERT INTO ledger_accounts (id, kind, owner, currency, debt_account) VALUES (gen_random_uuid(), 'user', 'mallory', 'USD', gen_random_uuid())`,
    `INSERT INTO ledger_accounts (id, kind, owner, currency, balance) VALUES (gen_random_uuid(), 'user', 'mallory', 'USD', 5)`,
    `DELETE FROM ledger_accounts`,
    `TRUNCATE ledger_accounts`,
    `UPDATE ledger_holds SET amount = 1`,
    `UPDATE ledger_holds SET expires_at = now()`,
    `UPDATE ledger_holds SET status = 'VOIDED', resolved_at = now(), amount = 1`,
    `DELETE FROM ledger_holds`,
    `TRUNCATE ledger_holds`,
  ])('%s', async (sql) => {
    await expect(statement(sql)).rejects.toMatchObject({ code: '42501' });
  });

  it('the same in a session that calls itself a replica', async () => {
    const replica = (sql: string) => statement(`SET LOCAL session_replication_role = replica; ${sql}`);
    await expect(replica(`DELETE FROM ledger_entries`)).rejects.toMatchObject({ code: '42501' });
    await expect(replica(`UPDATE ledger_accounts SET balance = 1`)).rejects.toMatchObject({ code: '42501' });
  });

  it.each([
    [
      'a capture without a transfer',
      `status = 'CAPTURED', captured = 30, resolved_at = now(), transfer = gen_random_uuid()`,
    ],
    ['a capture that names none', `status = 'CAPTURED', captured = 30, resolved_at = now()`],
    [
      'a capture of more than is held',
      `status = 'CAPTURED', captured = 31, resolved_at = now(), transfer = gen_random_uuid()`,
    ],
    ['a void after its time', `status = 'VOIDED', resolved_at = now() + interval '1 day'`],
    ['an expiry before its time', `status = 'EXPIRED', resolved_at = now()`],
  ])('%s', async (_, change) => {
    await expect(statement(`UPDATE ledger_holds SET ${change}`)).rejects.toMatchObject({
      code: expect.stringMatching(/^23/),
    });
  });

  it('a hold that its account does not cover, or that names one which is not there', async () => {
    const place = (account: string, credit: string, amount: number, currency: string) =>
      statement(
        `
        INSERT INTO ledger_holds (id, account, credit_account, amount, currency, placed_by, expires_at, created_at)
        VALUES (gen_random_uuid(), $1, $2, $3, $4, 'test', now() + interval '1 hour', now())`,
        [account, credit, amount, currency],
      );
    await expect(place(a, b, 70, 'USD')).rejects.toThrow(Passed);
    const cases: [string, string, number, string][] = [
      [a, b, 71, 'USD'],
      [newId(), b, 1, 'USD'],
      [a, newId(), 1, 'USD'],
      [a, b, 1, 'EUR'],
      [a, euro, 1, 'USD'],
    ];
    for (const refused of cases) {
      await expect(place(...refused)).rejects.toMatchObject({ code: expect.stringMatching(/^23/) });
    }
  });

  it('a second account of the same owner, kind and currency', async () => {
    const open = `INSERT INTO ledger_accounts (id, kind, owner, currency) VALUES (gen_random_uuid(), 'user', 'alice', 'USD')`;
    await expect(statement(open)).rejects.toMatchObject({ code: '23505' });
  });
});

describe('the database takes a debt account', () => {
  const open = (owner: string, currency = 'USD', allowNegative = true) =>
    statement(
      `INSERT INTO ledger_accounts (id, kind, owner, currency, allow_negative) VALUES (gen_random_uuid(), 'debt', $1, $2, $3)`,
      [owner, currency, allowNegative],
    );

  it('of a user in a currency they have an account in, and lets that account name it', async () => {
    await expect(open('alice')).rejects.toThrow(Passed);
    await expect(
      statement(`
        INSERT INTO ledger_accounts (id, kind, owner, currency, allow_negative)
        VALUES ('01900000-0000-7000-8000-00000000000d', 'debt', 'alice', 'USD', true);
        DO $$ BEGIN
          ASSERT (SELECT debt_account FROM ledger_accounts WHERE owner = 'alice' AND kind = 'user')
            = '01900000-0000-7000-8000-00000000000d';
        END $$`),
    ).rejects.toThrow(Passed);
  });

  it('of nobody else, nor one that could not owe', async () => {
    await expect(open('nobody')).rejects.toMatchObject({ code: '23000' });
    await expect(open('alice', 'EUR')).rejects.toMatchObject({ code: '23000' });
    await expect(open('alice', 'USD', false)).rejects.toMatchObject({ code: '23514' });
  });

  it('and never more in it than nothing, nor a hold of it', async () => {
    const owed = newId();
    const lend = (debit: string, credit: string, sequences: string, balances: string) => `
      INSERT INTO ledger_accounts (id, kind, owner, currency, allow_negative) VALUES ('${owed}', 'debt', 'alice', 'USD', true);
      INSERT INTO ledger_transfers (
        id, debit_account, credit_account, amount, debit_sequence, credit_sequence, debit_balance_after,
        credit_balance_after, currency, kind, actor, created_at
      ) VALUES ('${newId()}', '${debit}', '${credit}', 1, ${sequences}, ${balances}, 'USD', 'DEBIT', 'test', '2999-01-01Z')`;
    await expect(statement(lend(owed, a, '1, 3', '-1, 101'))).rejects.toThrow(Passed);
    await expect(statement(lend(a, owed, '3, 1', '99, 1'))).rejects.toMatchObject({
      constraint: 'ledger_accounts_debt_check',
    });
    const reserve = `
      INSERT INTO ledger_holds (id, account, credit_account, amount, currency, placed_by, expires_at, created_at)
      VALUES ('${newId()}', '${owed}', '${a}', 1, 'USD', 'test', now() + interval '1 hour', now())`;
    await expect(statement(`${lend(owed, a, '1, 3', '-1, 101')}; ${reserve}`)).rejects.toMatchObject({
      constraint: 'ledger_accounts_debt_check',
    });
  });
});
