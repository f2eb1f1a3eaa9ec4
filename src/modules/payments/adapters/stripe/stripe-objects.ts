import type { Stripe } from 'stripe';
import { isCurrency } from '../../../../kernel/currency.js';
import { isUuid } from '../../../../kernel/ids.js';
import type { Money } from '../../../../kernel/money.js';
import { fromProviderAmount } from '../../../../kernel/provider-amount.js';
import {
  type ChargeReport,
  type PaymentFailure,
  type ProviderRefund,
  REFUND_STATUSES,
  type RefundReport,
  type RefundStatus,
} from '../../payment.js';
import { OutcomeUnknownError } from '../../providers/payment-provider.js';

/** What is read of a PaymentIntent, in answers and in events. */
export type StripeIntent = Pick<
  Stripe.PaymentIntent,
  'id' | 'object' | 'status' | 'livemode' | 'amount_received' | 'currency' | 'client_secret' | 'metadata'
> & {
  readonly last_payment_error: StripeFailure | null;
  readonly next_action: Pick<Stripe.PaymentIntent.NextAction, 'redirect_to_url'> | null;
};

/** What is read of a Refund. */
export type StripeRefund = Pick<
  Stripe.Refund,
  | 'id'
  | 'object'
  | 'status'
  | 'amount'
  | 'currency'
  | 'metadata'
  | 'failure_reason'
  | 'payment_intent'
  | 'balance_transaction'
  | 'reason'
>;

/** Of `last_payment_error`, and of a refused request. */
export interface StripeFailure {
  readonly code?: string | undefined;
  readonly decline_code?: string | undefined;
  readonly message?: string | undefined;
}

const STATUSES: ReadonlyMap<string, ChargeReport['status']> = new Map([
  ['requires_payment_method', 'requires_action'],
  ['requires_confirmation', 'requires_action'],
  ['requires_action', 'requires_action'],
  ['processing', 'processing'],
  ['requires_capture', 'requires_capture'],
  ['succeeded', 'succeeded'],
  ['canceled', 'canceled'],
]);

/** Texts that come from elsewhere and are stored. */
const LONGEST_MESSAGE = 500;

/**
 * How a PaymentIntent stands. One that waits for a means of payment has been declined when it names an error, and is fresh when it
 * does not. https://docs.stripe.com/payments/paymentintents/lifecycle
 *
 * @throws OutcomeUnknownError for what is no PaymentIntent, or says something we do not understand
 */
export function chargeReportOf(intent: StripeIntent): ChargeReport {
  if (intent.object !== 'payment_intent' || typeof intent.id !== 'string') throw notUnderstood('no PaymentIntent');
  const { id, livemode, amount_received: received, last_payment_error: error, client_secret: clientSecret } = intent;
  const status = statusOf(intent);
  const url = intent.next_action?.redirect_to_url?.url;
  return {
    reference: id,
    status,
    mode: livemode ? 'live' : 'test',
    received: moneyOf(received, intent.currency),
    ...(status === 'failed' && { failure: failureOf(error ?? {}) }),
    ...(status === 'requires_action' && clientSecret && { clientSecret }),
    ...(status === 'requires_action' && url && { authorizationUrl: url }),
  };
}

/** How a Refund stands. @throws OutcomeUnknownError for what is none, or says something we do not understand */
export function refundReportOf(refund: StripeRefund): RefundReport {
  if (refund.object !== 'refund' || typeof refund.id !== 'string') throw notUnderstood('no Refund');
  const { id, status, amount, currency, failure_reason: reason } = refund;
  if (!isRefundStatus(status)) throw notUnderstood(`a refund that is ${String(status)}`);
  return {
    reference: id,
    status,
    amount: moneyOf(amount, currency),
    ...(status === 'failed' && {
      failure: { code: reason ?? 'refund_failed', message: 'The refund could not be carried out, or was sent back.' },
    }),
  };
}

/** The refund of ours that a Refund was made for. Whoever can make refunds at Stripe can write anything there. */
export function ourRefundOf({ metadata }: Pick<StripeRefund, 'metadata'>): string | undefined {
  const id = metadata?.['holdfast_refund'];
  return id !== undefined && isUuid(id) ? id : undefined;
}

/**
 * A Refund as money that went back. What is released of an authorisation, by a capture in part, a cancellation or its expiry, shows as
 * a Refund as well and is none: it has no balance transaction, because it never was in the balance.
 *
 * @returns undefined for one that has not left the balance
 */
export function providerRefundOf(refund: StripeRefund): ProviderRefund | undefined {
  if (!refund.balance_transaction || refund.reason === 'expired_uncaptured_charge') return undefined;
  return { ...refundReportOf(refund), ours: ourRefundOf(refund) };
}

export function failureOf({ code, decline_code: declineCode, message }: StripeFailure): PaymentFailure {
  return {
    code: code ?? 'declined',
    ...(declineCode && { declineCode }),
    message: message?.slice(0, LONGEST_MESSAGE) ?? 'Stripe gave no reason.',
  };
}

function statusOf({ status, last_payment_error: error }: StripeIntent): ChargeReport['status'] {
  if (status === 'requires_payment_method' && error) return 'failed';
  const known = STATUSES.get(status);
  if (known === undefined) throw notUnderstood(`a PaymentIntent that is ${String(status)}`);
  return known;
}

function isRefundStatus(status: string | null): status is RefundStatus {
  return REFUND_STATUSES.some((known) => known === status);
}

/** As Stripe writes it. @throws OutcomeUnknownError in a currency that nobody here knows */
export function moneyOf(amount: number | bigint, currency: string): Money {
  const code = currency.toUpperCase();
  if (!isCurrency(code)) throw notUnderstood(`an amount in ${code}`);
  return fromProviderAmount('stripe', amount, code);
}

export function notUnderstood(what: string): OutcomeUnknownError {
  return new OutcomeUnknownError(`Stripe answered with ${what}`);
}
