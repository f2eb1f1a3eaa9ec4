import { afterAll, afterEach, describe, expect, it } from '@jest/globals';
import { Scrape } from '../support/metrics.js';
import { PaymentsClient, type Shown } from '../support/payments-client.js';
import { countsOf, differencesOf, ReconciliationClient } from '../support/reconciliation-client.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { StripeApi } from '../support/stripe-api.js';
import { WalletClient } from '../support/wallet-client.js';

const STRIPE_SECRET_KEY = 'sk_test_9fK27QwLyjWDarjtT1zdp7dc';
const stripe = await StripeApi.start(STRIPE_SECRET_KEY);
const holdfast = serverUnderTest({ env: { STRIPE_SECRET_KEY, STRIPE_API_BASE: stripe.url } });

afterAll(() => stripe.stop());

afterEach(() => new WalletClient(holdfast.server).expectIntegrity());

const payments = () => new PaymentsClient(holdfast.server);
const client = () => new ReconciliationClient(holdfast.server);
const reconcile = () => client().run('stripe');

/** Nobody asks Stripe about it by itself any more: what becomes of it is the run's doing. */
async function unwatched(payment: Shown): Promise<Shown> {
  await holdfast.sql('UPDATE payments SET next_check_at = NULL WHERE id = $1', [payment['id']]);
  return payment;
}

/** One whose customer has not come yet. */
async function open(amount: number): Promise<Shown> {
  const { status, body } = await payments().create(amount, { provider: 'stripe' });
  expect({ status, detail: body['detail'] }).toMatchObject({ status: 201 });
  return unwatched(body);
}

/** One that the card paid at once; its webhooks never come. */
async function paid(amount: number): Promise<Shown> {
  const { body } = await payments().create(amount, { provider: 'stripe', providerPaymentMethod: 'pm_card_visa' });
  expect(body).toMatchObject({ status: 'succeeded' });
  return unwatched(body);
}

const intentOf = (payment: Shown) => String(payment['providerReference']);

function chargeOf(payment: Shown): string {
  const { latest_charge: charge } = stripe.state.intent(intentOf(payment));
  if (typeof charge !== 'string') throw new Error('It has no charge');
  return charge;
}

async function settlements(payment: Shown): Promise<number> {
  const rows = await holdfast.sql('SELECT FROM ledger_transfers WHERE reference = $1', [
    `settle:${String(payment['id'])}`,
  ]);
  return rows.length;
}

describe('a payment whose webhooks never came', () => {
  it('is credited by the run, once, and a late webhook and another run change nothing', async () => {
    const payment = await open(2500);
    stripe.state.pay(intentOf(payment));
    const run = await reconcile();
    expect(differencesOf(run, payment['id'])).toMatchObject([
      {
        kind: 'status',
        state: 'healed',
        movementKind: 'charge',
        object: chargeOf(payment),
        reference: `settle:${String(payment['id'])}`,
        providerAmount: 2500,
        bookedAmount: 2500,
        difference: 0,
      },
    ]);
    const after = await payments().find(payment['id']);
    expect(after).toMatchObject({ status: 'succeeded', settledTo: 'wallet', capturedAmount: 2500 });
    expect((after['transitions'] as Shown[]).at(-1)).toMatchObject({
      source: 'reconciler',
      actor: 'system:reconciliation',
    });

    const ids = await stripe.deliver(holdfast.sender, stripe.state.eventsOf(intentOf(payment)));
    for (const id of ids) await holdfast.eventIn('PROCESSED', id);
    const again = await reconcile();
    expect(differencesOf(again, payment['id'])).toEqual([]);
    expect(await settlements(payment)).toBe(1);
    expect(await payments().fundsOf(payment['userId'])).toBe(2500);
  });

  it('is credited once when its webhook comes while the run is under way', async () => {
    const all = await Promise.all(Array.from({ length: 6 }, () => open(300)));
    for (const payment of all) stripe.state.pay(intentOf(payment));
    const events = all.flatMap((payment) => stripe.state.eventsOf(intentOf(payment)));
    const [, ids] = await Promise.all([reconcile(), stripe.deliver(holdfast.sender, events)]);
    for (const id of ids) await holdfast.eventIn('PROCESSED', id);
    for (const payment of all) {
      expect(await settlements(payment)).toBe(1);
      expect(await payments().fundsOf(payment['userId'])).toBe(300);
    }
  });

  it('goes to suspense when it was given up here', async () => {
    const payment = await open(1700);
    const { amount, currency } = stripe.state.intent(intentOf(payment));
    await payments().post(`payments/${String(payment['id'])}/cancel`);
    // As if its customer had been quicker.
    const intent = stripe.state.intent(intentOf(payment));
    Object.assign(intent, { status: 'requires_payment_method', canceled_at: null });
    stripe.state.pay(intent.id);
    expect(intent).toMatchObject({ status: 'succeeded', amount, currency });
    const run = await reconcile();
    expect(differencesOf(run, payment['id'])).toMatchObject([{ kind: 'status', state: 'healed' }]);
    expect(await payments().find(payment['id'])).toMatchObject({ status: 'canceled', settledTo: 'suspense' });
  });

  it('has its refund given back when the bank returned that', async () => {
    const payment = await paid(5000);
    const { body: refund } = await payments().post(`payments/${String(payment['id'])}/refunds`, { amount: 2000 });
    expect(refund).toMatchObject({ status: 'succeeded' });
    await unwatched(payment);
    stripe.state.failRefund(String(refund['providerReference']));
    const run = await reconcile();
    expect(differencesOf(run, payment['id'])).toMatchObject([
      {
        kind: 'status',
        state: 'healed',
        movementKind: 'refund',
        refundId: refund['id'],
        reference: `refund-returned:${String(refund['id'])}`,
        providerAmount: 2000,
      },
    ]);
    expect(await payments().fundsOf(payment['userId'])).toBe(5000);
  });
});

describe('what differs', () => {
  it('in its amount stays open, until a later run finds it gone', async () => {
    const payment = await paid(1000);
    const [movement] = stripe.state.balance.of(chargeOf(payment));
    Object.assign(movement ?? {}, { amount: 900 });
    const before = (await Scrape.of(holdfast.server)).value('holdfast_reconciliation_differences', {
      provider: 'stripe',
    });
    const run = await reconcile();
    expect(differencesOf(run, payment['id'])).toMatchObject([
      { kind: 'amount', state: 'open', providerAmount: 900, bookedAmount: 1000, difference: -100, resolvedBy: null },
    ]);
    expect(run['open']).toBeGreaterThan(0);
    const openNow = async () =>
      (await Scrape.of(holdfast.server)).value('holdfast_reconciliation_differences', { provider: 'stripe' });
    expect(await openNow()).toBe(Number(before) + 1);

    const repeated = await reconcile();
    expect(differencesOf(await asItIsNow(run), payment['id'])).toMatchObject([
      { state: 'superseded', resolvedBy: repeated['id'] },
    ]);
    expect(await openNow()).toBe(Number(before) + 1);

    Object.assign(movement ?? {}, { amount: 1000 });
    const mended = await reconcile();
    expect(differencesOf(mended, payment['id'])).toEqual([]);
    expect(differencesOf(await asItIsNow(repeated), payment['id'])).toMatchObject([
      { state: 'resolved', resolvedBy: mended['id'] },
    ]);
    expect(await openNow()).toBe(before);
  });

  it('in its currency stays open', async () => {
    const payment = await paid(1100);
    const [movement] = stripe.state.balance.of(chargeOf(payment));
    Object.assign(movement ?? {}, { currency: 'eur' });
    const run = await reconcile();
    expect(differencesOf(run, payment['id'])).toMatchObject([
      { kind: 'currency', state: 'open', providerCurrency: 'EUR', bookedCurrency: 'USD', difference: null },
    ]);
    Object.assign(movement ?? {}, { currency: 'usd' });
  });

  it('because Stripe keeps its balance in another currency is the same', async () => {
    const payment = await paid(1200);
    const [movement] = stripe.state.balance.of(chargeOf(payment));
    Object.assign(movement ?? {}, { amount: 1104, currency: 'eur', exchange_rate: 0.92 });
    const run = await reconcile();
    expect(differencesOf(run, payment['id'])).toEqual([]);
  });

  it('because Stripe does not know a settled payment is missing there', async () => {
    const payment = await paid(1300);
    const intent = stripe.state.intent(intentOf(payment));
    stripe.state.balance.forget(chargeOf(payment));
    stripe.state.intents.delete(intent.id);
    const run = await reconcile();
    expect(differencesOf(run, payment['id'])).toMatchObject([
      {
        kind: 'missing_there',
        state: 'open',
        movement: `ledger:settle:${String(payment['id'])}`,
        providerAmount: null,
        bookedAmount: 1300,
        difference: -1300,
        note: expect.stringContaining('No such payment_intent'),
      },
    ]);
    expect(run['report']).toMatchObject({ balances: [{ currency: 'USD', difference: expect.any(Number) }] });
    stripe.state.intents.set(intent.id, intent);
  });

  it('because Stripe has it outside of the window does not differ', async () => {
    const payment = await paid(1400);
    const [movement] = stripe.state.balance.of(chargeOf(payment));
    Object.assign(movement ?? {}, { created: Number(movement?.created) - 10 * 86_400 });
    const run = await reconcile();
    expect(differencesOf(run, payment['id'])).toEqual([]);
  });

  it('because a payment was charged twice is missing here', async () => {
    const payment = await paid(1500);
    const twin = stripe.state.create({
      amount: '1500',
      currency: 'usd',
      metadata: { holdfast_payment: String(payment['id']), holdfast_operation: 'by hand' },
    });
    stripe.state.pay(twin.id);
    const run = await reconcile();
    const found = (run['differences'] as Shown[]).filter(({ object }) => object === twin.latest_charge);
    expect(found).toMatchObject([{ kind: 'missing_here', state: 'open', providerAmount: 1500, bookedAmount: null }]);
    expect(differencesOf(run, payment['id'])).toEqual([]);
    stripe.state.balance.forget(twin.latest_charge);
  });

  it('because one posting would have to answer for two movements is missing here', async () => {
    const payment = await paid(1600);
    const intent = stripe.state.intent(intentOf(payment));
    const source = { ...(chargeSource(payment) as object), amount_captured: 1600 };
    const twice = stripe.state.balance.add('charge', source as never, 1600);
    const run = await reconcile();
    expect(differencesOf(run, payment['id'])).toMatchObject([
      { kind: 'missing_here', state: 'open', movement: twice.id, note: 'Another movement has its posting' },
    ]);
    expect(intent.amount_received).toBe(1600);
    stripe.state.balance.forget(chargeOf(payment));
    await reconcile();
  });

  it('because it is under way is in transit, and nothing to do', async () => {
    const payment = await open(1800);
    const source = { ...(chargeSource(payment, 'ch_slow') as object), status: 'pending' };
    stripe.state.balance.add('payment', source as never, 1800);
    const run = await reconcile();
    expect(differencesOf(run, payment['id'])).toMatchObject([
      { kind: 'in_transit', state: 'noted', providerAmount: 1800, bookedAmount: null },
    ]);
    stripe.state.balance.forget('ch_slow');
  });

  it('because a part of what was disputed came back in another currency is the same', async () => {
    const payment = await paid(1900);
    const dispute = stripe.state.dispute(intentOf(payment));
    stripe.state.moveFunds(dispute, -1748, { currency: 'eur' });
    stripe.state.moveFunds(dispute, 874, { currency: 'eur' });
    const run = await reconcile();
    expect(
      differencesOf(run, payment['id']).map(({ state, movementKind, bookedAmount }) => [
        state,
        movementKind,
        bookedAmount,
      ]),
    ).toEqual([
      ['healed', 'dispute', -1900],
      ['healed', 'reinstatement', 950],
    ]);
    expect(differencesOf(await reconcile(), payment['id'])).toEqual([]);
  });

  it('because it was disputed is foreign when the charge is', async () => {
    const stranger = stripe.state.create({ amount: '700', currency: 'usd' });
    stripe.state.pay(stranger.id);
    const dispute = stripe.state.dispute(stranger.id);
    stripe.state.moveFunds(dispute, -700);
    const found = ((await reconcile())['differences'] as Shown[]).filter(({ object }) => object === dispute.id);
    expect(found).toMatchObject([{ kind: 'foreign', state: 'noted', movementKind: 'dispute', paymentId: null }]);
  });

  it("because it is somebody else's is foreign: listed, counted, and not open", async () => {
    const before = countsOf(await reconcile());
    const stranger = stripe.state.create({ amount: '700', currency: 'usd' });
    stripe.state.pay(stranger.id);
    stripe.state.balance.add('stripe_fee', null, -200);
    stripe.state.balance.add('payout', null, -5000);
    const run = await reconcile();
    const found = (run['differences'] as Shown[]).filter(({ object }) => object === stranger.latest_charge);
    expect(found).toMatchObject([{ kind: 'foreign', state: 'noted', providerAmount: 700, paymentId: null }]);
    expect(countsOf(run)).toMatchObject({
      movements: Number(before['movements']) + 3,
      foreign: Number(before['foreign']) + 1,
    });
  });
});

describe('a run', () => {
  it('reads all pages, and waits as long as Stripe wishes', async () => {
    const strangers = Array.from({ length: 260 }, (_, n) =>
      stripe.state.create({ amount: String(100 + n), currency: 'usd' }),
    );
    for (const { id } of strangers) stripe.state.pay(id);
    const payment = await open(2600);
    stripe.state.pay(intentOf(payment));
    const asked = stripe.callsOf('listBalanceTransactions').length;
    stripe.failNext('listBalanceTransactions', 'rateLimited', ({ starting_after }) => starting_after !== undefined);
    stripe.failNext('listBalanceTransactions', 'html502Before', ({ starting_after }) => starting_after !== undefined);
    const run = await reconcile();
    const calls = stripe.callsOf('listBalanceTransactions').slice(asked);
    expect(calls.length).toBeGreaterThanOrEqual(3 + 2);
    expect(calls[0]?.params).toMatchObject({ limit: '100', expand: { 0: 'data.source' } });
    expect(countsOf(run)['movements']).toBeGreaterThan(260);
    const healed = await client().find(run['id'], 'state=healed&limit=200');
    expect(differencesOf(healed, payment['id'])).toMatchObject([{ kind: 'status', state: 'healed' }]);

    const noted: unknown[] = [];
    for (let cursor = ''; cursor !== 'null';) {
      const page = await client().find(run['id'], `state=noted&limit=100${cursor && `&cursor=${cursor}`}`);
      noted.push(...(page['differences'] as Shown[]).map(({ movement }) => movement));
      cursor = String(page['nextCursor']);
    }
    expect(new Set(noted).size).toBe(noted.length);
    expect(noted.length).toBe(Number(countsOf(run)['foreign']) + Number(countsOf(run)['inTransit']));
  });

  it('adds up by day, currency and kind, with the fees, and clearing mirrors the provider', async () => {
    const before = await reconcile();
    await paid(10_000);
    const after = await reconcile();
    const total = (run: Shown) =>
      (run['report'] as { totals: Shown[] }).totals
        .filter(({ kind, currency }) => kind === 'charge' && currency === 'USD')
        .reduce((sum, { amount }) => sum + Number(amount), 0);
    const fees = (run: Shown) =>
      (run['report'] as { fees: Shown[] }).fees
        .filter(({ currency }) => currency === 'USD')
        .reduce((sum, { amount }) => sum + Number(amount), 0);
    expect(total(after) - total(before)).toBe(10_000);
    expect(fees(after) - fees(before)).toBe(320);
    expect((after['report'] as { balances: Shown[] }).balances).toContainEqual(
      expect.objectContaining({ currency: 'USD', difference: 0, inTransit: 0 }),
    );
  });

  it('fails at once when Stripe refuses to tell, and says why', async () => {
    stripe.failNext('listBalanceTransactions', 'forbidden');
    const { body } = await client().ask({ provider: 'stripe' });
    const over = await client().untilOver(body['id']);
    expect(over).toMatchObject({ status: 'failed', report: null, error: expect.stringContaining('permission') });
    const audit = await holdfast.call('GET', `/api/audit?subject=reconciliation:${String(body['id'])}`);
    expect(audit.body['data']).toMatchObject([
      { action: 'reconciliation.failed' },
      { action: 'reconciliation.created' },
    ]);
  });
});

function asItIsNow(run: Shown): Promise<Shown> {
  return client().find(run['id']);
}

function chargeSource(payment: Shown, id?: string): unknown {
  const intent = stripe.state.intent(intentOf(payment));
  return {
    id: id ?? chargeOf(payment),
    object: 'charge',
    amount: intent.amount,
    amount_captured: 0,
    currency: 'usd',
    livemode: false,
    metadata: { ...intent.metadata },
    payment_intent: intent.id,
    status: 'succeeded',
  };
}
