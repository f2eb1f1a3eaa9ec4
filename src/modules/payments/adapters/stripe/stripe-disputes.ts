import type { Stripe } from 'stripe';
import { Money } from '../../../../kernel/money.js';
import type { DisputeMovementReport, DisputeReport, DisputeStatus } from '../../disputes/dispute.js';
import { moneyOf, notUnderstood } from './stripe-objects.js';

/** What is read of a Dispute, in answers and in events. */
export type StripeDispute = Pick<
  Stripe.Dispute,
  'id' | 'object' | 'status' | 'reason' | 'amount' | 'currency' | 'created'
> & { readonly balance_transactions: readonly StripeMovement[] };

type StripeMovement = Pick<Stripe.BalanceTransaction, 'id' | 'amount' | 'currency' | 'type'>;

/** https://docs.stripe.com/api/disputes/object#dispute_object-status. What is not here claims money, as far as we know. */
const STATUSES: Readonly<Record<string, DisputeStatus>> = {
  warning_needs_response: 'inquiry',
  warning_under_review: 'inquiry',
  warning_closed: 'closed',
  needs_response: 'open',
  under_review: 'open',
  appeal_needs_response: 'open',
  appeal_under_review: 'open',
  won: 'won',
  lost: 'lost',
  prevented: 'closed',
  charge_refunded: 'closed',
};

/**
 * How a Dispute stands, and what it has moved: its balance transactions, without their fees, which are not the user's. An inquiry has
 * none. https://docs.stripe.com/disputes/how-disputes-work
 *
 * @throws OutcomeUnknownError for what is no Dispute, or says something we do not understand
 */
export function disputeReportOf(dispute: StripeDispute): DisputeReport {
  const { id, object, status, reason, created, balance_transactions: transactions } = dispute;
  if (object !== 'dispute' || typeof id !== 'string' || !Array.isArray(transactions)) throw notUnderstood('no Dispute');
  const amount = moneyOf(dispute.amount, dispute.currency);
  return {
    reference: id,
    status: STATUSES[status] ?? 'open',
    providerStatus: String(status),
    reason: typeof reason === 'string' ? reason : undefined,
    amount,
    openedAt: Number.isSafeInteger(created) ? new Date(created * 1000) : undefined,
    movements: movementsOf(amount, transactions),
  };
}

function movementsOf(disputed: Money, transactions: readonly StripeMovement[]): DisputeMovementReport[] {
  const moving = transactions.filter(({ amount, type }) => amount !== 0 && type !== 'stripe_fee');
  const taken = moving.find(({ amount }) => amount < 0);
  return moving.map((transaction) => ({
    key: transaction.id,
    kind: transaction.amount < 0 ? 'withdrawn' : 'reinstated',
    amount: amountOf(transaction, disputed, taken),
  }));
}

/**
 * In the dispute's currency. An account that is kept in another one has its balance transactions in that: then what was taken is what
 * is disputed, and what was given back is the same part of it as of what was taken.
 */
function amountOf({ amount, currency }: StripeMovement, disputed: Money, taken: StripeMovement | undefined): Money {
  const moved = BigInt(Math.abs(amount));
  if (currency.toUpperCase() === disputed.currency) return moneyOf(moved, currency);
  const whole = BigInt(Math.abs(taken?.amount ?? amount));
  const part = moved < whole ? (disputed.minor * moved) / whole : disputed.minor;
  return Money.of(part, disputed.currency);
}
