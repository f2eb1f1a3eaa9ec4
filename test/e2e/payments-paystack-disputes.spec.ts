import { afterEach, describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/http-answer.js';
import type { Dispute } from '../support/paystack-account.js';
import { type Fields, paystackUnderTest, referenceOf } from '../support/paystack-under-test.js';
import { waitFor } from '../support/wait-for.js';

const paystack = paystackUnderTest();
const { holdfast, paid, payment, paymentWith, fundsOf, deliver, post } = paystack;

afterEach(async () => {
  await untilAnswered();
  await paystack.wallet.expectIntegrity();
});

/** Every ring has been answered. */
function untilAnswered(): Promise<unknown> {
  return waitFor(async () => (await holdfast.sql('SELECT FROM payments WHERE rings > 0')).length === 0, {
    what: 'Paystack to be asked about all that rang',
  });
}

const refund = (of: Fields, amount?: number) =>
  post(`/api/payments/${String(of['id'])}/refunds`, amount === undefined ? {} : { amount });

const verify = (of: Fields) => post(`/api/payments/${String(of['id'])}/verify`);

const open = (of: Fields): Dispute => paystack.api.account.openDispute(referenceOf(of));

/** Somebody at Paystack, in the dashboard. */
const refundThere = (of: Fields, amount: number, dispute?: Dispute) =>
  paystack.api.account.refundInDashboard(referenceOf(of), amount, dispute);

function resolve(dispute: Dispute, resolution: string, refundAmount: Dispute['refundAmount'] = null): void {
  Object.assign(dispute, { status: 'resolved', resolution, refundAmount });
}

async function hear(kind: string, dispute: Dispute): Promise<void> {
  await deliver(paystack.api.disputeEvent(kind, dispute));
  await untilAnswered();
}

async function debtOf({ userId }: Fields): Promise<unknown> {
  return (await paystack.wallet.balanceOf(String(userId), 'NGN'))['debt'];
}

function spend({ userId }: Fields, amount: number): Promise<unknown> {
  return paystack.wallet.post('transactions', { userId, type: 'DEBIT', amount, currency: 'NGN' });
}

describe('a dispute at Paystack', () => {
  it('claims the money, moves none, and may be declined', async () => {
    const made = await paid();
    const dispute = open(made);
    await hear('create', dispute);
    expect(await payment(made['id'])).toMatchObject({
      disputedAmount: 0,
      refundableAmount: 0,
      disputes: [
        {
          status: 'open',
          providerStatus: 'awaiting-merchant-feedback',
          providerReference: String(dispute.id),
          reason: 'chargeback',
          amount: 10_000,
          currency: 'NGN',
        },
      ],
    });
    expectProblem(await refund(made), 409, 'PAYMENT_DISPUTED');
    dispute.status = 'awaiting-bank-feedback';
    await hear('remind', dispute);
    expect(await payment(made['id'])).toMatchObject({ disputes: [{ providerStatus: 'awaiting-bank-feedback' }] });
    resolve(dispute, 'declined');
    await hear('resolve', dispute);
    expect(await payment(made['id'])).toMatchObject({
      disputedAmount: 0,
      refundableAmount: 10_000,
      disputes: [{ status: 'won', closedAt: expect.any(String), withdrawnAmount: 0 }],
    });
    expect(await fundsOf(made)).toBe(10_000);
  });

  it.each([
    ['accepted', 'merchant-accepted', '4000', 4000],
    ['accepted by saying nothing', 'auto-accepted', 10_000, 10_000],
    ['accepted without an amount', 'merchant-accepted', null, 10_000],
  ])('takes what is given back when it is %s', async (_, resolution, refundAmount, lost) => {
    const made = await paid();
    const dispute = open(made);
    resolve(dispute, resolution, refundAmount);
    await hear('create', dispute);
    await hear('resolve', dispute);
    expect(await payment(made['id'])).toMatchObject({
      disputedAmount: lost,
      refundableAmount: 10_000 - lost,
      disputes: [{ status: 'lost', providerStatus: `resolved (${resolution})`, withdrawnAmount: lost }],
    });
    expect(await fundsOf(made)).toBe(10_000 - lost);
  });

  it('of money that is spent leaves a debt', async () => {
    const made = await paid();
    await spend(made, 9000);
    const dispute = open(made);
    resolve(dispute, 'merchant-accepted', 10_000);
    await hear('resolve', dispute);
    expect([await fundsOf(made), await debtOf(made)]).toEqual([0, 9000]);
    await paid({ userId: made['userId'], amount: 9500 });
    expect([await fundsOf(made), await debtOf(made)]).toEqual([500, 0]);
  });

  it('is kept as open when it is resolved in a way that nobody here knows', async () => {
    const made = await paid();
    const dispute = open(made);
    resolve(dispute, 'split', 5000);
    await hear('resolve', dispute);
    expect(await payment(made['id'])).toMatchObject({
      disputes: [{ status: 'open', providerStatus: 'resolved (split)', withdrawnAmount: 0 }],
    });
    expect(await fundsOf(made)).toBe(10_000);
  });

  it('is found without any event', async () => {
    const made = await paid();
    resolve(open(made), 'merchant-accepted', 2500);
    await verify(made);
    expect(await payment(made['id'])).toMatchObject({ disputedAmount: 2500 });
    expect(await fundsOf(made)).toBe(7500);
  });
});

describe('one loss that shows as a dispute, a refund and a reversal', () => {
  const lost = 10_000;

  interface Loss {
    readonly made: Fields;
    readonly dispute: Dispute;
  }

  /** What happens at Paystack, one after the other. After each of them it is asked. */
  const signals = {
    accepted: ({ dispute }: Loss) => {
      resolve(dispute, 'merchant-accepted', lost);
      return hear('resolve', dispute);
    },
    'refunded, for the dispute': async ({ made, dispute }: Loss) => {
      const { id } = refundThere(made, lost, dispute);
      await refundHeard(made, id);
    },
    'refunded, as it seems for nothing': async ({ made }: Loss) => {
      const { id } = refundThere(made, lost);
      await refundHeard(made, id);
    },
    reversed: async ({ made }: Loss) => {
      paystack.api.account.known(referenceOf(made)).status = 'reversed';
      await verify(made);
    },
  };
  type Signal = keyof typeof signals;

  async function refundHeard(made: Fields, id: number): Promise<void> {
    const there = paystack.api.account.refundsOf(referenceOf(made)).find((each) => each.id === id);
    if (there === undefined) throw new Error('Paystack has lost it');
    for (const status of ['pending', 'processed']) {
      await deliver(paystack.api.moveRefund(there, status));
      await untilAnswered();
    }
  }

  it.each<[Signal, Signal, Signal]>([
    ['accepted', 'refunded, for the dispute', 'reversed'],
    ['refunded, for the dispute', 'accepted', 'reversed'],
    ['reversed', 'refunded, for the dispute', 'accepted'],
    ['accepted', 'refunded, as it seems for nothing', 'reversed'],
    ['refunded, as it seems for nothing', 'accepted', 'reversed'],
    ['reversed', 'refunded, as it seems for nothing', 'accepted'],
  ])('is debited once: %s, then %s, then %s', async (...order) => {
    const made = await paid();
    const loss = { made, dispute: open(made) };
    await hear('create', loss.dispute);
    for (const signal of order) await signals[signal](loss);
    await verify(made);
    const { refundedAmount, disputedAmount, refundableAmount, disputes } = await payment(made['id']);
    expect(Number(refundedAmount) + Number(disputedAmount)).toBe(lost);
    expect(refundableAmount).toBe(0);
    expect(disputes).toMatchObject([{ status: 'lost' }]);
    expect([await fundsOf(made), await debtOf(made)]).toEqual([0, 0]);
  });

  it('is debited when the success is heard of after all was over', async () => {
    const made = await paystack.created();
    paystack.api.account.pay(referenceOf(made));
    const success = paystack.api.chargeSuccess(referenceOf(made));
    paystack.api.account.known(referenceOf(made)).status = 'reversed';
    const { id } = refundThere(made, lost);
    await refundHeard(made, id);
    expect(await payment(made['id'])).toMatchObject({ status: 'failed', failure: { code: 'reversed' }, refunds: [] });
    await deliver(success);
    await untilAnswered();
    expect(await payment(made['id'])).toMatchObject({ status: 'succeeded', refundedAmount: lost });
    expect(await fundsOf(made)).toBe(0);
  });

  it('is two when a part was refunded before the rest was disputed', async () => {
    const made = await paid();
    const earlier = refundThere(made, 2500);
    await refundHeard(made, earlier.id);
    const dispute = open(made);
    resolve(dispute, 'merchant-accepted', 2500);
    await hear('resolve', dispute);
    expect(await payment(made['id'])).toMatchObject({ refundedAmount: 2500, disputedAmount: 2500 });
    expect(await fundsOf(made)).toBe(5000);
  });
});

describe("a refund in Paystack's dashboard", () => {
  const refundsOf = (of: Fields) => paystack.api.account.refundsOf(referenceOf(of));

  it('is set aside while it is pending, and paid once', async () => {
    const made = await paid();
    const there = refundThere(made, 3000);
    await deliver(paystack.api.moveRefund(there, 'pending'));
    await paymentWith(made['id'], {
      refundedAmount: 0,
      refundableAmount: 7000,
      refunds: [{ origin: 'provider', status: 'pending', providerReference: String(there.id) }],
    });
    await deliver(paystack.api.moveRefund(there, 'processed'));
    await Promise.all([verify(made), verify(made)]);
    await paymentWith(made['id'], { refundedAmount: 3000, refunds: [{ status: 'succeeded' }] });
    expect(await fundsOf(made)).toBe(7000);
  });

  it('is two when there are two alike, whose events are the same to the last byte', async () => {
    const made = await paid();
    const [first, second] = [refundThere(made, 2500), refundThere(made, 2500)];
    const event = paystack.api.moveRefund(first, 'processed');
    await deliver(event);
    await paymentWith(made['id'], { refundedAmount: 2500, refundableAmount: 5000 });
    const again = paystack.api.moveRefund(second, 'processed');
    expect(JSON.stringify(again)).toBe(JSON.stringify(event));
    await deliver(again);
    await verify(made);
    expect(await payment(made['id'])).toMatchObject({ refundedAmount: 5000, refundableAmount: 5000 });
    expect(await fundsOf(made)).toBe(5000);
  });

  it('of money that is spent leaves a debt, and comes back when it fails', async () => {
    const made = await paid();
    await spend(made, 8000);
    const there = refundThere(made, 6000);
    await deliver(paystack.api.moveRefund(there, 'processed'));
    await paymentWith(made['id'], { refundedAmount: 6000 });
    expect([await fundsOf(made), await debtOf(made)]).toEqual([0, 4000]);
    await deliver(paystack.api.moveRefund(there, 'failed'));
    await paymentWith(made['id'], { refundedAmount: 0, refunds: [{ status: 'failed' }] });
    expect([await fundsOf(made), await debtOf(made)]).toEqual([2000, 0]);
  });

  it('is not taken for one when it is ours, and its answer was lost', async () => {
    const made = await paid();
    paystack.api.failNext('POST /refund', 'reset after', (body) => body['transaction'] === referenceOf(made));
    paystack.api.account.listsRefunds = false;
    expect(await refund(made, 4000)).toMatchObject({ status: 202 });
    paystack.api.account.listsRefunds = true;
    // While nobody knows what became of ours, none is adopted.
    const foreign = refundThere(made, 1000);
    await deliver(paystack.api.moveRefund(foreign, 'processed'));
    await verify(made);
    expect(await payment(made['id'])).toMatchObject({ refunds: [{ origin: 'api', status: 'unknown', amount: 4000 }] });
    for (const each of refundsOf(made)) each.isListed = true;
    await verify(made);
    await paymentWith(made['id'], {
      refunds: [
        { origin: 'api', status: 'pending', amount: 4000 },
        { origin: 'provider', status: 'succeeded', amount: 1000 },
      ],
    });
    expect(await fundsOf(made)).toBe(5000);
    const ours = refundsOf(made).find(({ amount }) => amount === 4000);
    if (ours) await deliver(paystack.api.moveRefund(ours, 'processed'));
    await paymentWith(made['id'], { refundedAmount: 5000 });
  });

  it('of more than is left is not booked, and somebody has to look', async () => {
    const made = await paid();
    await refund(made, 9000);
    refundThere(made, 2000);
    await verify(made);
    expect(await payment(made['id'])).toMatchObject({
      refundableAmount: 1000,
      review: expect.stringContaining('of 20.00 NGN, made at paystack, is more than is left'),
    });
    expect(await fundsOf(made)).toBe(1000);
  });
});
