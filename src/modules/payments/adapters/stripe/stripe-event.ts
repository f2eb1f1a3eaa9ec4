import type { JsonObject, JsonValue } from '../../../../kernel/exact-json.js';
import { isUuid } from '../../../../kernel/ids.js';
import { isPaymentId, type PaymentId } from '../../payment.js';
import { STRIPE_API_VERSION } from './stripe-client.js';

/**
 * What an event of our own account is about.
 *
 * https://docs.stripe.com/api/events/object, and for thin events, which name their object and leave it out,
 * https://docs.stripe.com/api/v2/core/events/event_types
 */
export interface StripeNews {
  /** The object as it was then; undefined in a thin event, and in one rendered in another API version than ours. */
  readonly object: JsonObject | undefined;
  /** Ours, of a payment that was made here or in another Holdfast with the same account. */
  readonly payment: PaymentId | undefined;
  /** The PaymentIntent it belongs to. */
  readonly intent: string | undefined;
  /** Of the object, `pi_…`, `ch_…`, `re_…` or `dp_…`. */
  readonly id: string;
}

/** @returns undefined for events of accounts connected to ours */
export function newsIn(event: JsonObject): StripeNews | undefined {
  if (event['account'] !== undefined && event['account'] !== null) return undefined;
  const object = member(event['data'], 'object') ?? {};
  const thin = member(event, 'related_object');
  const id = text((thin ?? object)['id']) ?? '';
  const isIntent = (thin === undefined ? object['object'] : thin['type']) === 'payment_intent';
  const payment = text(member(object, 'metadata')?.['holdfast_payment']) ?? '';
  const isCurrent = thin === undefined && event['api_version'] === STRIPE_API_VERSION;
  return {
    object: isCurrent ? object : undefined,
    payment: isPaymentId(payment) ? payment : undefined,
    intent: isIntent ? id : text(object['payment_intent']),
    id,
  };
}

/** The refund of ours that a Refund was made for; undefined for one made at Stripe. */
export function refundOf(refund: JsonObject): string | undefined {
  const id = text(member(refund, 'metadata')?.['holdfast_refund']) ?? '';
  return isUuid(id) ? id : undefined;
}

function member(value: JsonValue | undefined, name: string): JsonObject | undefined {
  const found = isObject(value) ? value[name] : undefined;
  return isObject(found) ? found : undefined;
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function text(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
