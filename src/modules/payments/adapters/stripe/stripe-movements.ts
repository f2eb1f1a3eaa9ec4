import { Stripe } from 'stripe';
import type { Money } from '../../../../kernel/money.js';
import { isPaymentId } from '../../payment.js';
import { NotExecutedError, OutcomeUnknownError, TurnedAwayError } from '../../providers/payment-provider.js';
import type { Movement, MovementWindow } from '../../providers/provider-movement.js';
import { AskedTooOftenError, askPatiently, retryAfterOf } from '../patience.js';
import { disputeReportOf } from './stripe-disputes.js';
import { meaningOf } from './stripe-errors.js';
import { moneyOf, ourRefundOf } from './stripe-objects.js';

const PAGE = 100;

/** https://docs.stripe.com/reports/balance-transaction-types: what Stripe takes for itself. */
const FEES: readonly string[] = ['stripe_fee', 'stripe_fx_fee', 'tax_fee'];

/** What a balance transaction is about, as far as payments are concerned. */
interface Subject {
  readonly kind: 'charge' | 'refund' | 'dispute';
  readonly object: string;
  readonly charge: string | null;
  readonly payment: string | undefined;
  readonly refund: string | undefined;
  /** In the currency of the charge; never below zero. */
  readonly amount: Money;
  readonly isPending: boolean;
  readonly isUndone: boolean;
}

/**
 * Balance transactions with their sources, newest first.
 *
 * Nobody adds to a window that is over, so the pages do not shift. https://docs.stripe.com/api/balance_transactions/list
 */
export async function* stripeMovements(stripe: Stripe, window: MovementWindow): AsyncGenerator<readonly Movement[]> {
  const { from, to, signal } = window;
  const created = { gte: from.getTime() / 1000, lt: to.getTime() / 1000 };
  let after: { starting_after?: string } = {};
  for (;;) {
    const params = { created, limit: PAGE, expand: ['data.source'], ...after };
    const { object, data, has_more: hasMore } = await askPatiently(() => listed(stripe, params), signal);
    if (object !== 'list') throw new OutcomeUnknownError('Stripe answered with no list');
    yield data.map(movementOf);
    const last = data.at(-1);
    if (!hasMore || last === undefined) return;
    after = { starting_after: last.id };
  }
}

async function listed(stripe: Stripe, params: Stripe.BalanceTransactionListParams) {
  try {
    return await stripe.balanceTransactions.list(params);
  } catch (error) {
    const meaning = meaningOf(error);
    if (!(meaning instanceof TurnedAwayError)) throw meaning;
    const { headers } = error instanceof Stripe.errors.StripeError ? error : {};
    if (LIMITS.includes(meaning.failure.code))
      throw new AskedTooOftenError(retryAfterOf(headers?.['retry-after']), error);
    // A key that may not read this will not be able to in a moment.
    throw new NotExecutedError(meaning.failure, error);
  }
}

/** https://docs.stripe.com/rate-limits */
const LIMITS: readonly string[] = ['rate_limit', 'rate_limit_error', 'lock_timeout'];

/** @throws OutcomeUnknownError for what cannot be read */
export function movementOf(transaction: Stripe.BalanceTransaction): Movement {
  const { id, amount, currency, fee, created, type, status, exchange_rate: exchanged } = transaction;
  const booked = moneyOf(amount, currency);
  const subject = subjectOf(transaction);
  const isOut = amount < 0;
  const common = {
    id,
    fee: moneyOf(fee, currency),
    createdAt: new Date(created * 1000),
    isAvailable: status === 'available',
  };
  if (subject === undefined) {
    const kind = FEES.includes(type) ? 'fee' : 'other';
    const object = typeof transaction.source === 'string' ? transaction.source : (transaction.source?.id ?? null);
    return { ...common, ...NOBODYS, kind, object, amount: booked };
  }
  const { kind, object, charge, payment, refund, isPending, isUndone } = subject;
  return {
    ...common,
    kind: kind === 'dispute' && !isOut ? 'reinstatement' : kind,
    object,
    charge,
    payment: payment !== undefined && isPaymentId(payment) ? payment : null,
    refund: refund ?? null,
    // A balance in another currency shows what Stripe made of it: what the customer paid is in the source.
    amount: exchanged === null ? booked : isOut ? subject.amount.negate() : subject.amount,
    isReversal: kind === 'charge' ? isOut : kind === 'refund' && !isOut,
    isPending,
    isUndone,
  };
}

const NOBODYS = {
  charge: null,
  payment: null,
  refund: null,
  isReversal: false,
  isPending: false,
  isUndone: false,
} as const;

/** Of the sources only those that payments make; the type tells what other transactions name the same source. */
function subjectOf({ id, source, type, amount }: Stripe.BalanceTransaction): Subject | undefined {
  // A dispute may move nothing but its fee.
  if (source === null || typeof source === 'string' || FEES.includes(type) || amount === 0) return undefined;
  switch (source.object) {
    case 'charge':
      return {
        kind: 'charge',
        object: source.id,
        charge: idOf(source.payment_intent),
        payment: source.metadata['holdfast_payment'],
        refund: undefined,
        amount: moneyOf(source.amount_captured, source.currency),
        isPending: source.status === 'pending',
        isUndone: source.status === 'failed',
      };
    case 'refund':
      return {
        kind: 'refund',
        object: source.id,
        charge: idOf(source.payment_intent),
        payment: source.metadata?.['holdfast_payment'],
        refund: ourRefundOf(source),
        amount: moneyOf(source.amount, source.currency),
        isPending: source.status === 'pending' || source.status === 'requires_action',
        isUndone: source.status === 'failed' || source.status === 'canceled',
      };
    case 'dispute':
      return {
        kind: 'dispute',
        object: source.id,
        charge: idOf(source.payment_intent),
        payment: undefined,
        refund: undefined,
        // In an account that is kept in another currency a part that comes back is known by the whole that was taken.
        amount:
          disputeReportOf(source).movements.find(({ key }) => key === id)?.amount ??
          moneyOf(source.amount, source.currency),
        isPending: false,
        isUndone: false,
      };
    default:
      return undefined;
  }
}

function idOf(object: string | { readonly id: string } | null): string | null {
  return typeof object === 'string' ? object : (object?.id ?? null);
}
