import { describe, expect, it } from '@jest/globals';
import type { Shown } from '../support/payments-client.js';
import { countsOf, differencesOf, ReconciliationClient } from '../support/reconciliation-client.js';
import { stripeUnderTest } from '../support/stripe-under-test.js';

const under = await stripeUnderTest();
const { holdfast, api, heard } = under;
const { state } = api;

const intentOf = (payment: Shown) => String(payment['providerReference']);
const fundsOf = ({ userId }: Shown) => under.client.fundsOf(userId);
const debtOf = async ({ userId }: Shown) => (await under.wallet.balanceOf(String(userId)))['debt'];

/** Nothing was heard of it, and nobody asks by itself: what becomes of it is the run's doing. */
async function paid(amount: number): Promise<Shown> {
  const made = await under.paid(amount);
  await holdfast.sql('UPDATE payments SET next_check_at = NULL WHERE id = $1', [made['id']]);
  return made;
}

/** All is mended by then, and the clearing account is what Stripe holds. */
async function reconciled(): Promise<Shown> {
  const run = await new ReconciliationClient(holdfast.server).run('stripe');
  expect(run).toMatchObject({ open: 0, report: { balances: [{ currency: 'USD', difference: 0 }] } });
  return run;
}

async function expectNothingMore(payment: Shown): Promise<void> {
  const again = await reconciled();
  expect(differencesOf(again, payment['id'])).toEqual([]);
  expect(countsOf(again)).toMatchObject({ healed: 0 });
}

function withdrawn(of: Shown) {
  const dispute = state.dispute(intentOf(of));
  state.moveFunds(dispute, -dispute.amount, { fee: 1500 });
  return dispute;
}

describe('what Stripe took back, and no webhook told', () => {
  it('by a dispute is debited by the run, what was spent is debt, and what is won comes back', async () => {
    const made = await paid(1000);
    const { userId } = made;
    await under.wallet.post('transactions', { userId, type: 'DEBIT', amount: 700, currency: 'USD' });
    const dispute = withdrawn(made);
    const [taken] = dispute.balance_transactions;
    expect(differencesOf(await reconciled(), made['id'])).toMatchObject([
      {
        kind: 'missing_here',
        state: 'healed',
        movementKind: 'dispute',
        movement: taken?.id,
        object: dispute.id,
        reference: expect.stringMatching(/^dispute:[0-9a-f-]{36}:txn_/),
        providerAmount: -1000,
        bookedAmount: -1000,
        difference: 0,
      },
    ]);
    expect([await fundsOf(made), await debtOf(made)]).toEqual([0, 700]);
    expect(await under.client.find(made['id'])).toMatchObject({
      disputes: [{ status: 'open', withdrawnAmount: 1000 }],
    });

    state.moveDispute(dispute, 'won');
    state.moveFunds(dispute, 1000);
    state.balance.add('adjustment', dispute, 0, { fee: -1500 });
    expect(differencesOf(await reconciled(), made['id'])).toMatchObject([
      { kind: 'status', state: 'healed', movementKind: 'reinstatement', providerAmount: 1000, bookedAmount: 1000 },
    ]);
    expect([await fundsOf(made), await debtOf(made)]).toEqual([300, 0]);
    await heard(state.eventsOf(intentOf(made)));
    await expectNothingMore(made);
    expect(await fundsOf(made)).toBe(300);
  });

  it('by a refund in the dashboard is adopted by the run, and given back when it fails', async () => {
    const made = await paid(1000);
    const refund = state.refundInDashboard(intentOf(made), 400);
    const run = await reconciled();
    const [adopted] = (await under.client.find(made['id']))['refunds'] as Shown[];
    expect(adopted).toMatchObject({ origin: 'provider', amount: 400, status: 'succeeded' });
    expect(differencesOf(run, made['id'])).toMatchObject([
      {
        kind: 'missing_here',
        state: 'healed',
        movementKind: 'refund',
        object: refund.id,
        refundId: adopted?.['id'],
        providerAmount: -400,
        bookedAmount: -400,
      },
    ]);
    expect(await fundsOf(made)).toBe(600);
    await expectNothingMore(made);

    await holdfast.sql('UPDATE payments SET next_check_at = NULL WHERE id = $1', [made['id']]);
    state.failRefund(refund.id);
    expect(differencesOf(await reconciled(), made['id'])).toMatchObject([
      { kind: 'status', state: 'healed', movementKind: 'refund', providerAmount: 400, refundId: adopted?.['id'] },
    ]);
    expect(await fundsOf(made)).toBe(1000);
    await expectNothingMore(made);
  });

  it('together with the payment itself is made up for in one go', async () => {
    const { body: made } = await under.take(2000);
    await holdfast.sql('UPDATE payments SET next_check_at = NULL WHERE id = $1', [made['id']]);
    state.pay(intentOf(made));
    state.refundInDashboard(intentOf(made), 500);
    const dispute = state.dispute(intentOf(made), { amount: 300 });
    state.moveFunds(dispute, -300);
    const found = differencesOf(await reconciled(), made['id']);
    expect(found).toHaveLength(3);
    expect(Object.fromEntries(found.map(({ movementKind, state: what }) => [movementKind, what]))).toEqual({
      charge: 'healed',
      refund: 'healed',
      dispute: 'healed',
    });
    expect(await fundsOf(made)).toBe(1200);
    await expectNothingMore(made);
  });
});

describe('what a dispute has in the books', () => {
  it('is asked about when the list does not have it, and may lie outside of the window', async () => {
    const made = await paid(1000);
    const dispute = withdrawn(made);
    await heard(state.eventsOf(intentOf(made)));
    const [listed] = state.balance.of(dispute.id);
    Object.assign(listed ?? {}, { created: Number(listed?.created) - 10 * 86_400 });
    await expectNothingMore(made);
  });

  it('is missing there when Stripe does not know it', async () => {
    const made = await paid(1000);
    const dispute = withdrawn(made);
    await heard(state.eventsOf(intentOf(made)));
    const [listed] = state.balance.of(dispute.id);
    state.balance.forget(dispute.id);
    state.disputes.delete(dispute.id);
    const run = await new ReconciliationClient(holdfast.server).run('stripe');
    expect(differencesOf(run, made['id'])).toMatchObject([
      {
        kind: 'missing_there',
        state: 'open',
        movementKind: 'dispute',
        providerAmount: null,
        bookedAmount: -1000,
        note: 'The provider has no such dispute',
      },
    ]);
    state.disputes.set(dispute.id, dispute);
    state.balance.add('adjustment', dispute, -1000, listed);
    await expectNothingMore(made);
  });
});
