import type { JsonObject, JsonValue } from '../../../kernel/exact-json.js';
import { BodySignedProvider } from './body-signed.provider.js';
import { eventIdentity, instantOf, valueAt, type IdentityPart } from './event-identity.js';
import { paystackSample } from './samples/paystack.sample.js';
import type { EventIdentity, HmacScheme, IncomingWebhook } from './webhook-provider.js';

/** These always carry an id or a reference. Refunds, subscriptions, invoices and customer checks may carry neither. */
const ALWAYS_NAMED = /^(?:charge|transfer|paymentrequest)\./;

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
    return eventIdentity({
      id: [type, subject(payload, payloadHash)],
      type,
      orderingKey: transactionReference(payload.data),
      occurredAt: instantOf(valueAt(payload.data, 'paid_at')),
    });
  }
}

function subject({ event, data }: JsonObject, payloadHash: string): IdentityPart {
  const value = valueAt(data, 'id') ?? valueAt(data, 'reference');
  const isNameless = value === undefined && typeof event === 'string' && !ALWAYS_NAMED.test(event);
  return isNameless ? { name: 'payload hash', value: payloadHash } : { name: 'data.id (or data.reference)', value };
}

/** What a charge, its disputes and its refunds have in common. */
function transactionReference(data: JsonValue | undefined): JsonValue | undefined {
  return (
    valueAt(data, 'transaction_reference') ?? valueAt(data, 'transaction', 'reference') ?? valueAt(data, 'reference')
  );
}
