import { describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/http-answer.js';
import type { Refund } from '../support/paystack-account.js';
import { PAYSTACK_FAULTS, type PaystackFault } from '../support/paystack-api.js';
import { type Fields, paystackUnderTest, referenceOf } from '../support/paystack-under-test.js';
import { waitFor } from '../support/wait-for.js';

const paystack = paystackUnderTest();
const { paid, payment, paymentWith, fundsOf, deliver, post, anHourLater } = paystack;

const refundsPath = (of: Fields): string => `/api/payments/${String(of['id'])}/refunds`;

/** Asks for a refund that Paystack takes in. */
async function refunded(of: Fields, amount: number): Promise<Fields> {
  const answer = await post(refundsPath(of), { amount });
  expect(answer).toMatchObject({ status: 201, body: { status: 'pending' } });
  return answer.body;
}

/** The refunds of a payment as Paystack has them, oldest first. */
const there = (of: Fields): Refund[] => paystack.api.account.refundsOf(referenceOf(of));

function only(of: Fields): Refund {
  const [refund, another] = there(of);
  if (refund === undefined || another !== undefined) throw new Error('Paystack has not exactly one refund');
  return refund;
}

describe('a refund through Paystack', () => {
  it('is set aside, and paid when Paystack has processed it', async () => {
    const made = await paid();
    const { id } = await refunded(made, 3000);
    expect(only(made)).toMatchObject({ amount: 3000, merchantNote: `holdfast refund ${String(id)}` });
    expect(await payment(made['id'])).toMatchObject({ refundedAmount: 0, refundableAmount: 7000 });
    expect(await fundsOf(made)).toBe(7000);
    await deliver(paystack.api.moveRefund(only(made), 'processed'));
    await paymentWith(made['id'], { refundedAmount: 3000, refundableAmount: 7000, refunds: [{ status: 'succeeded' }] });
    expect(await fundsOf(made)).toBe(7000);
  });

  it('is counted apart from an equal one whose event is the same to the last byte', async () => {
    const made = await paid();
    for (const amount of [2500, 2500]) await refunded(made, amount);
    const [first, second] = there(made);
    if (first === undefined || second === undefined) throw new Error('Paystack has not got both');
    const event = paystack.api.moveRefund(first, 'processed');
    await deliver(event);
    await paymentWith(made['id'], { refundedAmount: 2500, refunds: [{ status: 'succeeded' }, { status: 'pending' }] });
    const again = paystack.api.moveRefund(second, 'processed');
    expect(JSON.stringify(again)).toBe(JSON.stringify(event));
    const { body } = await paystack.api.deliver(paystack.holdfast.server.url, again);
    expect(body).toMatchObject({ status: 'already_processed' });
    await anHourLater(made['id']);
    await paymentWith(made['id'], { refundedAmount: 5000, refundableAmount: 5000 });
    expect(await fundsOf(made)).toBe(5000);
  });

  it('may need somebody before it goes on', async () => {
    const made = await paid();
    await refunded(made, 1000);
    await deliver(paystack.api.moveRefund(only(made), 'needs-attention'));
    await paymentWith(made['id'], { refunds: [{ status: 'requires_action' }], refundedAmount: 0 });
    await deliver(paystack.api.moveRefund(only(made), 'processing'));
    await paymentWith(made['id'], { refunds: [{ status: 'pending' }] });
    await deliver(paystack.api.moveRefund(only(made), 'processed'));
    await paymentWith(made['id'], { refunds: [{ status: 'succeeded' }], refundedAmount: 1000 });
  });

  it('comes back once when it fails after it was processed', async () => {
    const made = await paid();
    await refunded(made, 4000);
    await deliver(paystack.api.moveRefund(only(made), 'processed'));
    await paymentWith(made['id'], { refundedAmount: 4000 });
    // Nothing is open: it is not looked at any more until the event rings.
    await waitFor(async () => (await nextCheckOf(made)) === null);
    const event = paystack.api.moveRefund(only(made), 'failed');
    await deliver(event);
    await paymentWith(made['id'], { refundedAmount: 0, refundableAmount: 10_000, refunds: [{ status: 'failed' }] });
    await deliver({ ...event, again: true });
    await waitFor(async () => (await nextCheckOf(made)) === null);
    expect(await fundsOf(made)).toBe(10_000);
  });

  it('fails when Paystack refuses it, and the money stays', async () => {
    const made = await paid();
    paystack.api.account.known(referenceOf(made)).status = 'reversed';
    expectProblem(await post(refundsPath(made), { amount: 500 }), 409, 'PROVIDER_REFUSED');
    expect(await payment(made['id'])).toMatchObject({ status: 'succeeded', refunds: [{ status: 'failed' }] });
    expect(await fundsOf(made)).toBe(10_000);
  });

  it('is asked about when a dispute rings', async () => {
    const made = await paid();
    await refunded(made, 100);
    only(made).status = 'processed';
    const data = { id: 2867, status: 'awaiting-merchant-feedback', transaction: { reference: referenceOf(made) } };
    await deliver({ event: 'charge.dispute.create', data });
    await paymentWith(made['id'], { refunds: [{ status: 'succeeded' }] });
  });
});

describe('a refund that goes wrong on the way', () => {
  const faults = PAYSTACK_FAULTS.filter((fault) => fault !== 'twice');

  /** Resolves once the call has been sent, with the answer to come. */
  async function refundWith(
    fault: PaystackFault,
  ): Promise<{ fault: PaystackFault; made: Fields; answer: Promise<void> }> {
    const made = await paid();
    const isIts = (body: Fields) => body['transaction'] === referenceOf(made);
    paystack.api.failNext('POST /refund', fault, isIts);
    const answer = post(refundsPath(made), { amount: 4000 }).then(({ status, body }) => {
      expect({ fault, status, body }).toMatchObject({ status: 202, body: { status: 'unknown' } });
    });
    await waitFor(() => paystack.api.requests.some(({ path, body }) => path === '/refund' && isIts(body)));
    return { fault, made, answer };
  }

  it('ends with one refund or none, and the money is where it belongs', async () => {
    const all: Awaited<ReturnType<typeof refundWith>>[] = [];
    for (const fault of faults) all.push(await refundWith(fault));
    for (const { fault, made, answer } of all) {
      await answer;
      expect(await fundsOf(made)).toBe(6000);
      const wasMade = fault.endsWith('after');
      await anHourLater(made['id']);
      await paymentWith(made['id'], {
        refunds: [
          wasMade ? { status: 'pending', failure: null } : { status: 'failed', failure: { code: 'not_executed' } },
        ],
      });
      expect(there(made)).toHaveLength(wasMade ? 1 : 0);
      expect(await fundsOf(made)).toBe(wasMade ? 6000 : 10_000);
    }
  });

  it('keeps its money while the list may lack it, and the next one waits', async () => {
    paystack.api.account.listsRefunds = false;
    const { made, answer } = await refundWith('reset after');
    paystack.api.account.listsRefunds = true;
    await answer;
    const asked = `/api/payments/${String(made['id'])}/verify`;
    await paystack.holdfast.sql(
      `UPDATE provider_operations SET created_at = created_at - interval '9 minutes' WHERE payment = $1`,
      [made['id']],
    );
    await post(asked);
    expect(await payment(made['id'])).toMatchObject({ refunds: [{ status: 'unknown' }] });
    expectProblem(await post(refundsPath(made), { amount: 1000 }), 409, 'PAYMENT_BUSY');
    only(made).isListed = true;
    await post(asked);
    expect(await payment(made['id'])).toMatchObject({ refunds: [{ status: 'pending' }] });
    await refunded(made, 1000);
    expect(there(made).map(({ amount }) => amount)).toEqual([4000, 1000]);
    expect(await fundsOf(made)).toBe(5000);
  });
});

describe('the books', () => {
  it('are right', async () => {
    await paystack.wallet.expectIntegrity();
  });
});

async function nextCheckOf(of: Fields): Promise<unknown> {
  const [row] = await paystack.holdfast.sql<{ next_check_at: Date | null }>(
    'SELECT next_check_at FROM payments WHERE id = $1',
    [of['id']],
  );
  return row?.next_check_at ?? null;
}
