import type { JsonObject, JsonValue } from '../../../kernel/exact-json.js';
import { eventIdentity, instantOf, valueAt } from './event-identity.js';
import { stripeSample } from './samples/stripe.sample.js';
import { decodeSignature, hmac, isAnyOf, matchingSecretId, requireUnixSeconds, signedHeader } from './signature.js';
import { checkSigningSecret } from './signing-secret.js';
import type {
  EventIdentity,
  IncomingWebhook,
  OutgoingWebhook,
  SigningSecret,
  VerifiedSignature,
  WebhookProvider,
} from './webhook-provider.js';
import { WebhookSignatureInvalidError } from './webhook-signature.errors.js';

const SIGNATURE = 'Stripe-Signature';
const EXPECTED = 't=<unix seconds>,v1=<64 hex digits>';

/** The one field Stripe changes when it sends an event again: how many endpoints have yet to answer. */
const PENDING_WEBHOOKS = Buffer.from('"pending_webhooks"');
const PENDING_COUNT = /("pending_webhooks"[ \t\r\n]*:[ \t\r\n]*)\d+/g;

const PARTS_OF_A_PAYMENT = new Set<JsonValue | undefined>(['charge', 'refund', 'dispute']);

/** https://docs.stripe.com/webhooks/signature. The secret is used as text, `whsec_` included. */
export class StripeProvider implements WebhookProvider {
  readonly name = 'stripe';
  readonly sample = stripeSample;

  verify(webhook: IncomingWebhook, secrets: readonly SigningSecret[]): VerifiedSignature {
    const { timestamp, signatures } = parseSignatureHeader(signedHeader(webhook, SIGNATURE));
    const secretId = matchingSecretId(secrets, SIGNATURE, (secret) =>
      isAnyOf(hmac('sha256', secret, `${timestamp.text}.`, webhook.rawBody), signatures),
    );
    return { secretId, signedAt: timestamp.seconds };
  }

  identify(_: IncomingWebhook, payload: JsonObject): EventIdentity {
    return eventIdentity({
      id: [{ name: 'id', value: payload.id }],
      type: { name: 'type', value: payload.type },
      orderingKey: entityId(payload),
      occurredAt: createdAt(payload.created),
    });
  }

  comparableBody(rawBody: Buffer): Buffer {
    const at = rawBody.indexOf(PENDING_WEBHOOKS);
    if (at === -1) return rawBody;
    // Latin-1 maps each byte to one character and back, so every other byte stays what it is.
    const rest = rawBody.toString('latin1', at).replace(PENDING_COUNT, '$1');
    return Buffer.concat([rawBody.subarray(0, at), Buffer.from(rest, 'latin1')]);
  }

  sign({ body, timestamp }: OutgoingWebhook, secret: string): Record<string, string> {
    const signature = hmac('sha256', secret, `${timestamp}.`, body).toString('hex');
    return { [SIGNATURE]: `t=${timestamp},v1=${signature}` };
  }

  checkSecret(secret: string): void {
    checkSigningSecret(secret, 8);
  }
}

/** Items come in any order; schemes other than v1 are ignored, as Stripe asks, so that v0 cannot downgrade anyone. */
function parseSignatureHeader(header: string) {
  let time: string | undefined;
  const signatures: Buffer[] = [];
  for (const item of header.split(',')) {
    if (item.startsWith('v1=')) {
      const signature = decodeSignature(item.slice('v1='.length), 'hex', 32);
      if (signature) signatures.push(signature);
    } else if (item.startsWith('t=')) {
      if (time !== undefined) throw WebhookSignatureInvalidError.malformed(SIGNATURE, EXPECTED);
      time = item.slice('t='.length);
    }
  }
  if (time === undefined || signatures.length === 0) {
    throw WebhookSignatureInvalidError.malformed(SIGNATURE, EXPECTED);
  }
  return { timestamp: requireUnixSeconds(time, SIGNATURE, EXPECTED), signatures };
}

/** Everything about one payment shares its payment intent; a thin (v2) event names its object in `related_object`. */
function entityId(payload: JsonObject): JsonValue | undefined {
  const object = valueAt(payload, 'data', 'object');
  const paymentIntent = valueAt(object, 'payment_intent');
  if (typeof paymentIntent === 'string' && PARTS_OF_A_PAYMENT.has(valueAt(object, 'object'))) return paymentIntent;
  return valueAt(object, 'id') ?? valueAt(payload, 'related_object', 'id');
}

/** Unix seconds, or ISO 8601 in thin (v2) events. */
function createdAt(created: JsonValue | undefined): number | undefined {
  return typeof created === 'number' ? created * 1000 : instantOf(created);
}
