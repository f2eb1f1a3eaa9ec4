import type { JsonObject, JsonValue } from '../../../kernel/exact-json.js';
import { BodySignedProvider } from './body-signed.provider.js';
import { eventIdentity, instantOf, isUsable, valueAt, type IdentityPart } from './event-identity.js';
import { paystackSample } from './samples/paystack.sample.js';
import type { EventIdentity, HmacScheme, IncomingWebhook } from './webhook-provider.js';

/**
 * What happens to a charge or a transfer once, and is named by it. Everything else may come again for the same object with
 * other contents (`subscription.not_renew`, `charge.dispute.remind`), and refunds and customer checks may carry no id at
 * all: those are told apart by their bodies.
 */
const ONCE = /^(?:charge\.success$|transfer\.)/;

/** Paystack sends again every hour for 72 hours; six more for tries that are late. */
const MEMORY_SECONDS = (72 + 6) * 3600;

/** What is longer would leave too little room for the hash, which tells the event apart without it. */
const MAX_NAMED = 100;

/** https://paystack.com/docs/payments/webhooks/. The secret is the account's secret key, `sk_…`. */
export class PaystackProvider extends BodySignedProvider {
  readonly name = 'paystack';
  protected readonly scheme: HmacScheme = {
    signatureHeader: 'X-Paystack-Signature',
    algorithm: 'sha512',
    encoding: 'hex',
    prefix: '',
    template: '{body}',
  };
  readonly sample = paystackSample;

  /** Paystack gives events no id of their own: the type and what it is about make one. */
  identify(_: IncomingWebhook, payload: JsonObject, payloadHash: string): EventIdentity {
    const type = { name: 'event', value: payload.event };
    const once = typeof payload.event === 'string' && ONCE.test(payload.event);
    return eventIdentity({
      id: [type, ...subject(payload, once, payloadHash)],
      type,
      orderingKey: transactionReference(payload.data),
      occurredAt: instantOf(valueAt(payload.data, 'paid_at')),
      memorySeconds: once ? undefined : MEMORY_SECONDS,
    });
  }
}

function subject({ data }: JsonObject, once: boolean, payloadHash: string): IdentityPart[] {
  const object = { name: 'data.id (or data.reference)', value: valueAt(data, 'id') ?? valueAt(data, 'reference') };
  if (once) return [object];
  const hash = { name: 'payload hash', value: payloadHash };
  return isUsable(object.value, MAX_NAMED) ? [object, hash] : [hash];
}

/** What a charge, its disputes and its refunds have in common. */
function transactionReference(data: JsonValue | undefined): JsonValue | undefined {
  return (
    valueAt(data, 'transaction_reference') ?? valueAt(data, 'transaction', 'reference') ?? valueAt(data, 'reference')
  );
}
