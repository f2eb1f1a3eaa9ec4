import { expect, it } from '@jest/globals';
import { fraudClientOf } from '../support/fraud-client.js';
import { paystackUnderTest, referenceOf } from '../support/paystack-under-test.js';

const paystack = paystackUnderTest();
const fraud = fraudClientOf(paystack.holdfast);

/** Paystack takes the money at once, or not at all. */
it.each(['approve', 'decline'] as const)(
  'a payment at Paystack that a rule wants reviewed is paid, waits in suspense, and somebody can %s it',
  async (decision) => {
    await fraud.client.rule('amount', { limit: 9999, currency: 'NGN', action: 'review' });
    const payment = await paystack.created();
    expect(payment).toMatchObject({ status: 'requires_action', review: null });
    paystack.api.account.pay(referenceOf(payment));
    await paystack.deliver(paystack.api.chargeSuccess(referenceOf(payment)));
    await paystack.paymentWith(payment['id'], { status: 'succeeded', settledTo: 'suspense' });
    expect(await paystack.fundsOf(payment)).toBe(0);
    expect((await fraud.client.reviews()).find(({ id }) => id === payment['id'])).toMatchObject({
      review: expect.stringContaining('rule'),
      evaluations: [{ action: 'review', outcome: 'matched', figure: 10_000 }],
    });
    const { status } = await fraud.client.decide(payment['id'], decision);
    expect([200, 201]).toContain(status);
    expect(await paystack.fundsOf(payment)).toBe(decision === 'approve' ? 10_000 : 0);
    const refunds = paystack.api.account.refundsOf(referenceOf(payment));
    expect(refunds).toHaveLength(decision === 'approve' ? 0 : 1);
    await fraud.client.noRules();
  },
);
