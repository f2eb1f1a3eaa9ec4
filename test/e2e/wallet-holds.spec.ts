import { beforeAll, describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/http-answer.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { waitFor } from '../support/wait-for.js';
import { newUserId, UNLIMITED, WalletClient } from '../support/wallet-client.js';

/** Nothing sweeps here: whatever expires does so by the clock alone. */
const holdfast = serverUnderTest({ env: { ...UNLIMITED, ROLE: 'api' } });
let wallet: WalletClient;

beforeAll(() => {
  wallet = new WalletClient(holdfast.server);
});

const UNKNOWN_ID = '01890000-0000-7000-8000-000000000000';

async function hold(userId: string, amount: number, more: object = {}): Promise<Record<string, unknown>> {
  const { status, text, body } = await wallet.post('holds', { userId, amount, currency: 'USD', ...more });
  expect({ status, text }).toMatchObject({ status: 201 });
  return body;
}

const capture = (held: Record<string, unknown>, body?: object) =>
  wallet.post(`holds/${String(held['id'])}/capture`, body);
const release = (held: Record<string, unknown>) => wallet.post(`holds/${String(held['id'])}/void`);

describe('A hold', () => {
  it('sets money aside', async () => {
    const [userId, payee] = await wallet.newUsers(2, 100);
    const held = await hold(userId!, 60, { toUserId: payee, expiresInSeconds: 3600, description: 'deposit' });
    expect(held).toEqual({
      id: expect.any(String),
      userId,
      toUserId: payee,
      amount: 60,
      captured: null,
      currency: 'USD',
      status: 'ACTIVE',
      expiresAt: expect.any(String),
      transactionId: null,
      description: 'deposit',
      createdAt: expect.any(String),
    });
    expect(Date.parse(String(held['expiresAt'])) - Date.parse(String(held['createdAt']))).toBe(3_600_000);
    expect((await wallet.get(`holds/${String(held['id'])}`)).body).toEqual(held);
    expect(await wallet.balanceOf(userId!)).toMatchObject({ balance: 100, held: 60, available: 40 });
  });

  it('stands for a week unless told otherwise', async () => {
    const { createdAt, expiresAt } = await hold(await wallet.newUser(1), 1);
    expect(Date.parse(String(expiresAt)) - Date.parse(String(createdAt))).toBe(7 * 86_400_000);
  });

  it('needs money that is not held yet', async () => {
    const userId = await wallet.newUser(100);
    await hold(userId, 60);
    expectProblem(await wallet.post('holds', { userId, amount: 41, currency: 'USD' }), 402, 'INSUFFICIENT_FUNDS');
    await hold(userId, 40);
    expect(await wallet.balanceOf(userId)).toMatchObject({ balance: 100, held: 100, available: 0 });
  });

  it('captured pays whom it was placed for', async () => {
    const [userId, payee] = await wallet.newUsers(2, 100);
    const held = await hold(userId!, 60, { toUserId: payee });
    const captured = await capture(held);
    expect(captured.status).toBe(200);
    expect(captured.body).toEqual({ ...held, status: 'CAPTURED', captured: 60, transactionId: expect.any(String) });
    expect(await wallet.balanceOf(userId!)).toMatchObject({ balance: 40, held: 0, available: 40 });
    expect(await wallet.fundsOf(payee!)).toBe(160);
    const [line] = await wallet.statementOf(userId!);
    expect(line).toMatchObject({
      id: captured.body['transactionId'],
      type: 'CAPTURE',
      amount: -60,
      holdId: held['id'],
    });
  });

  it('captured in part releases the rest, and captured without a payee leaves through external', async () => {
    const userId = await wallet.newUser(100);
    const captured = await capture(await hold(userId, 60), { amount: 25 });
    expect(captured.body).toMatchObject({ status: 'CAPTURED', amount: 60, captured: 25, toUserId: null });
    expect(await wallet.balanceOf(userId)).toMatchObject({ balance: 75, held: 0, available: 75 });
    expect((await wallet.statementOf(userId))[0]).toMatchObject({ counterparty: { kind: 'system', id: 'external' } });
  });

  it('cannot be captured beyond its amount', async () => {
    const userId = await wallet.newUser(100);
    const held = await hold(userId, 60);
    expectProblem(await capture(held, { amount: 61 }), 409, 'CAPTURE_EXCEEDS_HOLD');
    expect(await wallet.balanceOf(userId)).toMatchObject({ balance: 100, held: 60 });
    expect((await capture(held, { amount: 60 })).status).toBe(200);
  });

  it('voided gives the money back', async () => {
    const userId = await wallet.newUser(100);
    const held = await hold(userId, 60);
    const voided = await release(held);
    expect(voided.status).toBe(200);
    expect(voided.body).toEqual({ ...held, status: 'VOIDED' });
    expect(await wallet.balanceOf(userId)).toMatchObject({ balance: 100, held: 0, available: 100 });
    expect(await wallet.statementOf(userId)).toHaveLength(1);
  });

  it('is resolved once', async () => {
    const userId = await wallet.newUser(100);
    const captured = await hold(userId, 10);
    await capture(captured);
    const voided = await hold(userId, 10);
    await release(voided);
    for (const resolved of [captured, voided]) {
      expectProblem(await capture(resolved), 409, 'HOLD_ALREADY_RESOLVED');
      expectProblem(await release(resolved), 409, 'HOLD_ALREADY_RESOLVED');
    }
    expect(await wallet.balanceOf(userId)).toMatchObject({ balance: 90, held: 0 });
  });

  it('is over once its time is up, with nobody there to sweep: its money is back, and it cannot be captured', async () => {
    const userId = await wallet.newUser(100);
    const held = await hold(userId, 60, { expiresInSeconds: 1 });
    const path = `holds/${String(held['id'])}`;
    await waitFor(async () => (await wallet.get(path)).body['status'] === 'EXPIRED');
    expect((await wallet.get(path)).body).toEqual({ ...held, status: 'EXPIRED' });
    expect(await wallet.balanceOf(userId)).toMatchObject({ balance: 100, held: 0, available: 100 });
    const debit = { userId, type: 'DEBIT', amount: 100, currency: 'USD' };
    expect((await wallet.post('transactions', debit)).status).toBe(201);
    expectProblem(await capture(held), 409, 'HOLD_EXPIRED');
    expectProblem(await release(held), 409, 'HOLD_EXPIRED');
    expect((await wallet.get(path)).body).toEqual({ ...held, status: 'EXPIRED' });
    await wallet.expectIntegrity();
  });

  it('is refused where it cannot be', async () => {
    const userId = await wallet.newUser(100);
    const place = (change: object) => wallet.post('holds', { userId, amount: 10, currency: 'USD', ...change });
    expectProblem(await place({ userId: newUserId() }), 404, 'NOT_FOUND');
    expectProblem(await place({ toUserId: newUserId() }), 404, 'NOT_FOUND');
    expectProblem(await place({ toUserId: userId }), 400, 'SELF_TRANSFER');
    expectProblem(await place({ currency: 'XXX1' }), 400, 'VALIDATION_FAILED');
    expectProblem(await place({ expiresInSeconds: 0 }), 400, 'VALIDATION_FAILED');
    expectProblem(await place({ reference: 'x' }), 400, 'VALIDATION_FAILED');
    expect(await wallet.balanceOf(userId)).toMatchObject({ held: 0 });
  });

  it('that is not there is 404', async () => {
    for (const id of [UNKNOWN_ID, 'not-a-uuid']) {
      expectProblem(await wallet.get(`holds/${id}`), 404, 'NOT_FOUND');
      expectProblem(await wallet.post(`holds/${id}/capture`), 404, 'NOT_FOUND');
      expectProblem(await wallet.post(`holds/${id}/void`), 404, 'NOT_FOUND');
    }
  });
});
