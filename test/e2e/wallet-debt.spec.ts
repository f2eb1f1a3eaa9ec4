import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { systemAccount, userAccount } from '../../src/modules/ledger/index.js';
import { expectProblem } from '../support/http-answer.js';
import { codeOf, TestLedger, usd } from '../support/ledger.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { userToken } from '../support/user-token.js';
import { newUserId, UNLIMITED, WalletClient } from '../support/wallet-client.js';

const holdfast = serverUnderTest({ env: UNLIMITED });
let wallet: WalletClient;
/** Of another process on the same database: by HTTP nobody can make a debt. */
let ledger: TestLedger;

beforeAll(async () => {
  wallet = new WalletClient(holdfast.server);
  ledger = await TestLedger.open(holdfast.database.url);
});

afterAll(() => ledger?.close());

/** A provider takes money back, whether or not it is there. */
async function takeFrom(userId: string, amount: number): Promise<void> {
  const outcome = await ledger.post({
    type: 'transfer',
    kind: 'DEBIT',
    debit: userAccount(userId, 'USD'),
    credit: systemAccount('disputes', 'USD'),
    amount: usd(amount),
    category: 'payment',
    shortfall: 'debt',
  });
  expect(codeOf(outcome)).toBe('posted');
}

async function creditTo(userId: string, amount: number, type = 'CREDIT') {
  return wallet.post('transactions', { userId, type, amount, currency: 'USD' });
}

describe('A debt', () => {
  it('is shown in the balance, now and then, and repaid by what comes in', async () => {
    const userId = await wallet.newUser(100);
    await takeFrom(userId, 160);
    const owing = await wallet.balanceOf(userId);
    expect(owing).toMatchObject({ balance: 0, held: 0, available: 0, debt: 60 });
    const sender = await wallet.newUser(45);
    await wallet.post('transfers', { fromUserId: sender, toUserId: userId, amount: 45, currency: 'USD' });
    expect(await wallet.balanceOf(userId)).toMatchObject({ balance: 0, available: 0, debt: 15 });
    expectProblem(await creditTo(userId, 1, 'DEBIT'), 402, 'INSUFFICIENT_FUNDS');
    expect((await creditTo(userId, 20)).status).toBe(201);
    expect(await wallet.balanceOf(userId)).toMatchObject({ balance: 5, available: 5, debt: 0 });
    const past = await wallet.get(`balance?userId=${userId}&currency=USD&at=${String(owing['asOf'])}`);
    expect(past.body).toMatchObject({ balance: 0, available: 0, debt: 60 });
    await wallet.expectIntegrity();
  });

  it('has lines of its own in the statement', async () => {
    const userId = await wallet.newUser(10);
    await takeFrom(userId, 30);
    await creditTo(userId, 50);
    const lines = await wallet.statementOf(userId);
    const owed = { kind: 'debt', id: userId };
    expect(lines.toReversed()).toMatchObject([
      { type: 'CREDIT', amount: 10 },
      { type: 'CREDIT', category: 'debt_shortfall', amount: 20, balanceAfter: 30, counterparty: owed },
      { type: 'DEBIT', category: 'payment', amount: -30, balanceAfter: 0 },
      { type: 'CREDIT', amount: 50, balanceAfter: 50 },
      { type: 'DEBIT', category: 'debt_repayment', amount: -20, balanceAfter: 30, counterparty: owed },
    ]);
    const token = await userToken(userId);
    for (const line of lines) {
      expect((await wallet.get(`transactions/${String(line['id'])}`, token)).body).toEqual(line);
    }
  });

  it('of a frozen account is shown as what is owed, to its user and to services', async () => {
    const userId = await wallet.newUser(100);
    const admin = { reason: 'a chargeback' };
    expect((await holdfast.call('POST', `/api/users/${userId}/freeze`, admin)).status).toBe(200);
    await takeFrom(userId, 30);
    expect(await wallet.balanceOf(userId)).toMatchObject({ balance: 100, available: 70, debt: 30 });
    const [taken] = await holdfast.sql<{ id: string }>(
      `SELECT t.id FROM ledger_transfers AS t JOIN ledger_accounts AS d ON d.id = t.debit_account
       WHERE d.kind = 'debt' AND d.owner = $1`,
      [userId],
    );
    const view = { userId, amount: -30, balanceAfter: -30, counterparty: { kind: 'system', id: 'disputes' } };
    for (const credential of [undefined, await userToken(userId)]) {
      expect((await wallet.get(`transactions/${taken?.id}`, credential)).body).toMatchObject(view);
    }
    expectProblem(await wallet.get(`transactions/${taken?.id}`, await userToken(newUserId())), 404, 'NOT_FOUND');
    expect((await holdfast.call('POST', `/api/users/${userId}/unfreeze`, admin)).status).toBe(200);
    expectProblem(await creditTo(userId, 71, 'DEBIT'), 402, 'INSUFFICIENT_FUNDS');
    expect((await creditTo(userId, 70, 'DEBIT')).status).toBe(201);
    expect(await wallet.balanceOf(userId)).toMatchObject({ balance: 0, available: 0, debt: 0 });
  });

  it('is nobody’s to touch: not to be reversed, nor made to look like one', async () => {
    const userId = await wallet.newUser();
    await takeFrom(userId, 30);
    await creditTo(userId, 10);
    for (const { id, category } of await wallet.statementOf(userId)) {
      if (category === null) continue;
      expectProblem(await wallet.post(`transactions/${String(id)}/reverse`), 403, 'FORBIDDEN');
    }
    for (const category of ['debt_shortfall', 'debt_repayment', 'payment']) {
      const posted = { userId, type: 'CREDIT', amount: 1, currency: 'USD', category };
      expectProblem(await wallet.post('transactions', posted), 400, 'VALIDATION_FAILED');
    }
    const named = { userId, type: 'CREDIT', amount: 1, currency: 'USD', shortfall: 'debt' };
    expectProblem(await wallet.post('transactions', named), 400, 'VALIDATION_FAILED');
    expect(await wallet.balanceOf(userId)).toMatchObject({ balance: 0, debt: 20 });
  });
});
