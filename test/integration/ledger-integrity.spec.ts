import { Logger } from '@nestjs/common';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { debtAccount } from '../../src/modules/ledger/account.js';
import { systemAccount } from '../../src/modules/ledger/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { codeOf, TestLedger, transfer, usd } from '../support/ledger.js';
import { waitFor } from '../support/wait-for.js';

let database: TestDatabase;
let test: TestLedger;
/** Ids by name. */
const id: Record<string, string> = {};

beforeAll(async () => {
  // It says loudly what it finds.
  Logger.overrideLogger(false);
  database = await createTestDatabase();
  test = await TestLedger.open(database.url);
  const [alice, bob] = [await test.fund('alice', 100), await test.fund('bob', 0)];
  const first = await test.post(transfer(alice, bob, 10));
  if (!('posted' in first)) throw new Error(codeOf(first));
  const reversal = await test.post({ type: 'reverse', transferId: first.posted.id });
  const second = await test.post(transfer(alice, bob, 20));
  const placed = await test.post({
    type: 'hold',
    account: alice,
    credit: bob,
    amount: usd(30n),
    expiresInSeconds: 600,
  });
  if (!('posted' in reversal) || !('posted' in second) || !('held' in placed)) throw new Error('not set up');
  const captured = await test.post({ type: 'capture', holdId: placed.held.id, amount: 12n });
  await test.post({ type: 'hold', account: alice, credit: bob, amount: usd(5n), expiresInSeconds: 600 });
  if (!('held' in captured) || !captured.transfer) throw new Error(codeOf(captured));
  const eve = await test.fund('eve', 0);
  await test.post({
    type: 'transfer',
    kind: 'DEBIT',
    debit: eve,
    credit: systemAccount('external', 'USD'),
    amount: usd(5n),
    shortfall: 'debt',
  });
  const world = await test.ledger.account(systemAccount('external', 'USD'));
  Object.assign(id, {
    alice: (await test.ledger.account(alice))?.id,
    bob: (await test.ledger.account(bob))?.id,
    debt: (await test.ledger.account(debtAccount(eve)))?.id,
    world: world?.id,
    first: first.posted.id,
    reversal: reversal.posted.id,
    second: second.posted.id,
    capture: captured.transfer.id,
    captured: captured.held.id,
  });
});

afterAll(async () => {
  await test?.close();
  await database?.drop();
});

/** Runs `sql` past every trigger and constraint, as whoever owns the tables can, checks, and restores what was. */
async function violationsAfter(
  sql: string,
): Promise<{ invariant: string; accounts: readonly string[]; transfers: readonly string[] }[]> {
  const tables = ['ledger_accounts', 'ledger_transfers', 'ledger_entries', 'ledger_holds'];
  const { dataSource } = test;
  for (const table of tables) {
    await dataSource.query(`CREATE TABLE kept_${table} AS SELECT * FROM ${table}`);
    await dataSource.query(`ALTER TABLE ${table} DISABLE TRIGGER ALL`);
  }
  try {
    await dataSource.query(sql);
    return [...(await test.integrity.check()).violations];
  } finally {
    for (const table of tables.toReversed()) await dataSource.query(`DELETE FROM ${table}`);
    for (const table of tables) {
      await dataSource.query(`INSERT INTO ${table} SELECT * FROM kept_${table}`);
      await dataSource.query(`DROP TABLE kept_${table}`);
      await dataSource.query(`ALTER TABLE ${table} ENABLE TRIGGER ALL`);
    }
  }
}

describe('the integrity check', () => {
  it('finds nothing wrong with a ledger that nobody meddled with', async () => {
    expect(await test.integrity.check()).toEqual({
      ok: true,
      checkedAt: expect.any(Date),
      accounts: 5,
      entries: 14,
      sumByCurrency: { USD: '0' },
      violations: [],
    });
  });

  it('names an account whose balance was raised, and tells that money came from nowhere', async () => {
    const violations = await violationsAfter(
      `UPDATE ledger_accounts SET balance = balance + 1 WHERE id = '${id['bob']}'`,
    );
    expect(violations.map(({ invariant }) => invariant)).toEqual([
      'balances sum to zero',
      'a balance is the sum of its entries',
    ]);
    expect(violations[1]).toMatchObject({ accounts: [id['bob']] });
  });

  it('names the account and the transfer of an entry that was changed', async () => {
    const violations = await violationsAfter(
      `UPDATE ledger_entries SET amount = amount + 1 WHERE account = '${id['bob']}' AND transfer = '${id['second']}'`,
    );
    expect(violations.map(({ invariant }) => invariant)).toEqual([
      'entries sum to zero',
      'a balance is the sum of its entries',
      'entries follow one another',
      'a transfer has its two entries',
    ]);
    expect(violations[2]).toMatchObject({ accounts: [id['bob']], transfers: [id['second']] });
    expect(violations[3]).toMatchObject({ accounts: [id['bob']], transfers: [id['second']] });
  });

  it('names both accounts when someone moves money by hand so that all sums stay zero', async () => {
    const violations = await violationsAfter(
      `UPDATE ledger_accounts SET balance = balance + CASE WHEN id = '${id['bob']}' THEN 3 ELSE -3 END
       WHERE id IN ('${id['alice']}', '${id['bob']}')`,
    );
    expect(violations.map(({ invariant }) => invariant)).toEqual(
      Array.from({ length: 2 }, () => 'a balance is the sum of its entries'),
    );
    expect(violations.flatMap(({ accounts }) => accounts).toSorted()).toEqual(
      [`${id['alice']}`, `${id['bob']}`].toSorted(),
    );
  });

  it('names a transfer that was raised, whose entries were not', async () => {
    const violations = await violationsAfter(`UPDATE ledger_transfers SET amount = 21 WHERE id = '${id['second']}'`);
    expect(violations.map(({ invariant }) => invariant)).toEqual(
      Array.from({ length: 2 }, () => 'a transfer has its two entries'),
    );
    expect(violations.every(({ transfers }) => transfers[0] === id['second'])).toBe(true);
  });

  it('names entries without their transfer, and gaps where entries were', async () => {
    const gone = await violationsAfter(`DELETE FROM ledger_transfers WHERE id = '${id['second']}'`);
    expect(gone.map(({ invariant }) => invariant)).toEqual(
      Array.from({ length: 2 }, () => 'an entry has its transfer'),
    );
    expect(gone.every(({ transfers }) => transfers[0] === id['second'])).toBe(true);
    const gap = await violationsAfter(`DELETE FROM ledger_entries WHERE transfer = '${id['first']}'`);
    expect(gap.map(({ invariant }) => invariant)).toContain('entries follow one another');
    expect(gap.map(({ invariant }) => invariant)).toContain('a transfer has its two entries');
  });

  it('names an account below zero, or with more held than its holds and its balance', async () => {
    const violations = await violationsAfter(`
      ALTER TABLE ledger_accounts DROP CONSTRAINT ledger_accounts_held_check;
      UPDATE ledger_accounts SET held = 500 WHERE id = '${id['alice']}';
    `);
    await test.dataSource.query(
      'ALTER TABLE ledger_accounts ADD CONSTRAINT ledger_accounts_held_check CHECK (held >= 0 AND (allow_negative OR held <= balance))',
    );
    expect(violations).toMatchObject([
      { invariant: 'an account stays within its bounds', accounts: [id['alice']] },
      { invariant: 'what is held is the sum of the active holds', accounts: [id['alice']] },
    ]);
  });

  it('names a debt that is more than repaid, and one that no account or another’s names', async () => {
    const rule = 'a debt is owed by the user whose account names it';
    const debts = async (sql: string) =>
      (await violationsAfter(sql)).flatMap(({ invariant, accounts }) => (invariant === rule ? accounts : []));
    await test.dataSource.query('ALTER TABLE ledger_accounts DROP CONSTRAINT ledger_accounts_debt_check');
    expect(await debts(`UPDATE ledger_accounts SET balance = 1 WHERE id = '${id['debt']}'`)).toEqual([id['debt']]);
    await test.dataSource.query(
      `ALTER TABLE ledger_accounts ADD CONSTRAINT ledger_accounts_debt_check CHECK (kind <> 'debt' OR allow_negative AND balance <= 0 AND held = 0)`,
    );
    expect(await debts(`UPDATE ledger_accounts SET debt_account = NULL`)).toEqual([id['debt']]);
    expect(await debts(`UPDATE ledger_accounts SET debt_account = id WHERE id = '${id['alice']}'`)).toEqual([
      id['alice'],
    ]);
    expect(await debts(`UPDATE ledger_accounts SET owner = 'carol' WHERE id = '${id['debt']}'`)).toEqual([id['debt']]);
  });

  it('names a transfer reversed twice', async () => {
    const violations = await violationsAfter(`
      DROP INDEX ledger_transfers_reverses_key;
      UPDATE ledger_transfers SET kind = 'REVERSAL', reverses = '${id['first']}' WHERE id = '${id['second']}';
    `);
    await test.dataSource.query(
      'CREATE UNIQUE INDEX ledger_transfers_reverses_key ON ledger_transfers (reverses) WHERE reverses IS NOT NULL',
    );
    expect(violations.map(({ invariant }) => invariant)).toEqual(
      Array.from({ length: 2 }, () => 'a transfer is reversed once, by its mirror'),
    );
    expect(violations.flatMap(({ transfers }) => transfers).toSorted()).toEqual(
      [`${id['reversal']}`, `${id['second']}`].toSorted(),
    );
  });

  it('names the capture of a hold that says otherwise', async () => {
    const violations = await violationsAfter(`UPDATE ledger_holds SET captured = 11 WHERE id = '${id['captured']}'`);
    expect(violations).toMatchObject([
      { invariant: 'a hold is resolved once, and captured by its transfer', transfers: [id['capture']] },
    ]);
  });

  it('tells Prometheus what it found, and when', async () => {
    await violationsAfter(`UPDATE ledger_accounts SET balance = balance + 1 WHERE id = '${id['bob']}'`);
    expect(await test.metrics.render()).toMatch(/^holdfast_ledger_violations 2$/m);
    await test.integrity.check();
    expect(await test.metrics.render()).toMatch(/^holdfast_ledger_violations 0$/m);
    expect(await test.metrics.render()).toMatch(/^holdfast_ledger_checked_timestamp_seconds \d{10}/m);
  });

  it('does not keep a process from ending: a check under way is given up', async () => {
    const another = await TestLedger.open(database.url);
    const blocker = test.dataSource.createQueryRunner();
    await blocker.startTransaction();
    await blocker.query('LOCK TABLE ledger_entries IN ACCESS EXCLUSIVE MODE');
    const check = another.integrity.check().catch((error: unknown) => error);
    await waitFor(
      async () => {
        const rows = await test.dataSource.query<object[]>(
          `SELECT FROM pg_locks WHERE NOT granted AND relation = 'ledger_entries'::regclass`,
        );
        return rows.length === 1;
      },
      { what: 'the check at the table' },
    );
    await another.integrity.onModuleDestroy();
    expect(await check).toMatchObject({ code: '57014' });
    await blocker.rollbackTransaction();
    await blocker.release();
    await another.close();
  });

  it('is made once for all who ask at the same moment', async () => {
    const [one, other] = await Promise.all([test.integrity.check(), test.integrity.check()]);
    expect(one).toBe(other);
  });
});
