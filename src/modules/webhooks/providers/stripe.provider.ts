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
    const kept: Buffer[] = [];
    let from = 0;
    for (let at = rawBody.indexOf(PENDING_WEBHOOKS); at !== -1; at = rawBody.indexOf(PENDING_WEBHOOKS, from)) {
      const count = skip(rawBody, at + PENDING_WEBHOOKS.length, isBetween);
      kept.push(rawBody.subarray(from, count));
      from = skip(rawBody, count, isDigit);
    }
    return kept.length === 0 ? rawBody : Buffer.concat([...kept, rawBody.subarray(from)]);
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

/** The index of the first byte from `index` on that is not of these. */
function skip(bytes: Buffer, index: number, isOne: (byte: number | undefined) => boolean): number {
  let end = index;
  while (isOne(bytes[end])) end++;
  return end;
}

/** White space and the colon between a name and its value. */
function isBetween(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x3a || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}
