import { describe, expect, it } from '@jest/globals';
import { type Fields, paystackUnderTest, referenceOf } from '../support/paystack-under-test.js';
import { countsOf, differencesOf, ReconciliationClient } from '../support/reconciliation-client.js';

const paystack = paystackUnderTest();
const { created, paid, payment, post, fundsOf } = paystack;

const reconcile = () => new ReconciliationClient(paystack.holdfast.server).run('paystack');
const account = () => paystack.api.account;

async function unwatched(of: Fields): Promise<Fields> {
  await paystack.holdfast.sql('UPDATE payments SET next_check_at = NULL WHERE id = $1', [of['id']]);
  return of;
}

async function expectNothingMore(of: Fields): Promise<void> {
  const again = await reconcile();
  expect(again).toMatchObject({ open: 0, report: { balances: [{ currency: 'NGN', difference: 0 }] } });
  expect(differencesOf(again, of['id'])).toEqual([]);
}

describe('a reconciliation with Paystack', () => {
  it('credits what was paid without a webhook, once, with what came in for us', async () => {
    const lost = await unwatched(await created());
    account().pay(referenceOf(lost), { amount: 10_150, requestedAmount: 10_000 });
    const told = await paid();
    const run = await reconcile();
    expect(differencesOf(run, lost['id'])).toMatchObject([
      { kind: 'status', state: 'healed', object: referenceOf(lost), providerAmount: 10_000, bookedAmount: 10_000 },
    ]);
    expect(differencesOf(run, told['id'])).toEqual([]);
    expect(await fundsOf(lost)).toBe(10_000);
    expect(run).toMatchObject({ open: 0, report: { fees: [{ currency: 'NGN', amount: 300 }] } });
    await paystack.deliver(paystack.api.chargeSuccess(referenceOf(lost)));
    expect(await reconcile()).toMatchObject({ open: 0, report: { counts: { healed: 0 } } });
    expect(await fundsOf(lost)).toBe(10_000);
  });

  it('follows refunds: under way, paid, and made by hand', async () => {
    const refunded = await paid();
    const { body: refund } = await post(`/api/payments/${String(refunded['id'])}/refunds`, { amount: 2500 });
    await unwatched(refunded);
    expect(differencesOf(await reconcile(), refunded['id'])).toMatchObject([
      { kind: 'in_transit', state: 'noted', refundId: refund['id'], providerAmount: -2500 },
    ]);
    const [atPaystack] = account().refundsOf(referenceOf(refunded));
    Object.assign(atPaystack ?? {}, { status: 'processed' });
    expect(differencesOf(await reconcile(), refunded['id'])).toMatchObject([
      { kind: 'status', state: 'healed', movementKind: 'refund', refundId: refund['id'], bookedAmount: -2500 },
    ]);
    expect((await payment(refunded['id']))['refunds']).toMatchObject([{ status: 'succeeded' }]);

    const byHand = account().refundInDashboard(referenceOf(refunded), 1000);
    Object.assign(byHand, { status: 'processed' });
    const run = await reconcile();
    expect(differencesOf(run, refunded['id'])).toMatchObject([
      {
        kind: 'missing_here',
        state: 'healed',
        movementKind: 'refund',
        object: String(byHand.id),
        providerAmount: -1000,
        bookedAmount: -1000,
      },
    ]);
    expect(run['open']).toBe(0);
    expect(await fundsOf(refunded)).toBe(6500);
    await expectNothingMore(refunded);
  });

  it('gives back a refund that Paystack could not pay after all', async () => {
    const refunded = await paid();
    const { body: refund } = await post(`/api/payments/${String(refunded['id'])}/refunds`, { amount: 3000 });
    const [atPaystack] = account().refundsOf(referenceOf(refunded));
    Object.assign(atPaystack ?? {}, { status: 'processed' });
    await post(`/api/payments/${String(refunded['id'])}/verify`);
    expect(await fundsOf(refunded)).toBe(7000);
    await unwatched(refunded);
    Object.assign(atPaystack ?? {}, { status: 'failed' });
    const run = await reconcile();
    expect(differencesOf(run, refunded['id'])).toMatchObject([
      { kind: 'status', state: 'healed', movementKind: 'refund', refundId: refund['id'] },
    ]);
    expect(run['open']).toBe(0);
    expect(await fundsOf(refunded)).toBe(10_000);
  });

  it('debits a dispute that was given in to, once, whatever becomes of its webhooks', async () => {
    const disputed = await unwatched(await paid());
    const dispute = account().loseDispute(referenceOf(disputed), 10_000);
    expect(differencesOf(await reconcile(), disputed['id'])).toMatchObject([
      {
        kind: 'missing_here',
        state: 'healed',
        movementKind: 'dispute',
        movement: `dispute:${dispute.id}`,
        object: String(dispute.id),
        providerAmount: -10_000,
        bookedAmount: -10_000,
      },
    ]);
    expect(await fundsOf(disputed)).toBe(0);
    await paystack.deliver(paystack.api.disputeEvent('resolve', dispute));
    await expectNothingMore(disputed);
    expect(await fundsOf(disputed)).toBe(0);
  });

  it('debits what the silent lose, who name no amount', async () => {
    const disputed = await unwatched(await paid());
    const dispute = account().openDispute(referenceOf(disputed));
    Object.assign(dispute, { status: 'resolved', resolution: 'auto-accepted' });
    expect(differencesOf(await reconcile(), disputed['id'])).toMatchObject([
      { state: 'healed', movementKind: 'dispute', providerAmount: -10_000 },
    ]);
    await expectNothingMore(disputed);
  });

  it.each([
    ['names it', true],
    ['names none', false],
  ])('takes a dispute and the refund that pays it, which %s, for one loss', async (_, isNamed) => {
    const disputed = await unwatched(await paid());
    const dispute = account().loseDispute(referenceOf(disputed), 4000);
    const refund = account().refundInDashboard(referenceOf(disputed), 4000, isNamed ? dispute : null);
    Object.assign(refund, { status: 'processed' });
    const run = await reconcile();
    expect(differencesOf(run, disputed['id'])).toMatchObject([{ state: 'healed', movementKind: 'dispute' }]);
    expect(run['open']).toBe(0);
    expect(await fundsOf(disputed)).toBe(6000);
    await expectNothingMore(disputed);
  });

  it('also when the refund was booked before the dispute was given in to', async () => {
    const disputed = await unwatched(await paid());
    const dispute = account().openDispute(referenceOf(disputed));
    const refund = account().refundInDashboard(referenceOf(disputed), 4000);
    Object.assign(refund, { status: 'processed' });
    expect(differencesOf(await reconcile(), disputed['id'])).toMatchObject([
      { state: 'healed', movementKind: 'refund', object: String(refund.id) },
    ]);
    await unwatched(disputed);
    Object.assign(dispute, { status: 'resolved', resolution: 'merchant-accepted', refundAmount: 4000 });
    await expectNothingMore(disputed);
    expect(await payment(disputed['id'])).toMatchObject({ disputes: [{ status: 'lost', withdrawnAmount: 0 }] });
    expect(await fundsOf(disputed)).toBe(6000);
  });

  it('finds a transaction that Paystack does not have any more', async () => {
    const gone = await paid();
    const transaction = account().known(referenceOf(gone));
    account().transactions.delete(transaction.reference);
    const run = await reconcile();
    expect(differencesOf(run, gone['id'])).toMatchObject([
      { kind: 'missing_there', state: 'open', providerAmount: null, bookedAmount: 10_000 },
    ]);
    account().transactions.set(transaction.reference, transaction);
    expect(await reconcile()).toMatchObject({ open: 0 });
  });

  it("reads all pages, waits as long as Paystack wishes, and leaves others' transactions alone", async () => {
    const before = countsOf(await reconcile());
    for (let n = 0; n < 120; n++) {
      const reference = `shop-${n}`;
      account().initialize({ email: 'ben@example.com', amount: 700, currency: 'NGN', reference, metadata: '{}' });
      account().pay(reference);
    }
    const lost = await unwatched(await created());
    account().pay(referenceOf(lost));
    paystack.api.failNext('GET /transaction', 'rate limited');
    paystack.api.failNext('GET /refund', 'html 502 before');
    const run = await reconcile();
    expect(run['open']).toBe(0);
    expect(countsOf(run)).toMatchObject({
      movements: Number(before['movements']) + 121,
      foreign: Number(before['foreign']) + 120,
      healed: 1,
    });
    expect(await fundsOf(lost)).toBe(10_000);
  });
});
