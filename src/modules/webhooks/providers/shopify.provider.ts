import type { JsonObject } from '../../../kernel/exact-json.js';
import { BodySignedProvider } from './body-signed.provider.js';
import { eventIdentity, headerPart, instantOf } from './event-identity.js';
import { verifyHmac } from './hmac-signature.js';
import { headerValues } from './request-header.js';
import { shopifySample } from './samples/shopify.sample.js';
import type {
  EventIdentity,
  HmacScheme,
  IncomingWebhook,
  OutgoingWebhook,
  SigningSecret,
  VerifiedSignature,
} from './webhook-provider.js';

interface HeaderNames {
  signature: string;
  id: string;
  topic: string;
  event: string;
  triggeredAt: string;
}

/** Of webhooks that an app subscribes to by topic. */
const WEBHOOKS: HeaderNames = namesAfter('X-Shopify-');
/** Of what Shopify calls events, its second generation. */
const EVENTS: HeaderNames = namesAfter('Shopify-');

const WEBHOOKS_SCHEME = schemeOf(WEBHOOKS);
const EVENTS_SCHEME = schemeOf(EVENTS);

/**
 * https://shopify.dev/docs/apps/build/webhooks/subscribe/https. Id and topic are headers and, as such, not signed.
 *
 * The webhook id is the key: Shopify keeps it over its retries, and its own library calls it the idempotency key. The event
 * id says what happened in the shop. Two subscriptions of a topic each get a webhook of their own for it, with fields and
 * filters of their own: dropping by event id would lose one of them.
 */
export class ShopifyProvider extends BodySignedProvider {
  readonly name = 'shopify';
  protected readonly scheme = WEBHOOKS_SCHEME;
  readonly sample = shopifySample;

  override verify(webhook: IncomingWebhook, secrets: readonly SigningSecret[]): VerifiedSignature {
    return verifyHmac(webhook, secrets, headerNames(webhook) === EVENTS ? EVENTS_SCHEME : WEBHOOKS_SCHEME);
  }

  identify(webhook: IncomingWebhook, payload: JsonObject): EventIdentity {
    const names = headerNames(webhook);
    return eventIdentity({
      id: [headerPart(webhook, names.id)],
      type: headerPart(webhook, names.topic),
      // A refund or fulfilment waits for its order.
      orderingKey: payload.order_id ?? payload.id,
      occurredAt: instantOf(headerPart(webhook, names.triggeredAt).value),
      causeId: headerValues(webhook, names.event)[0],
    });
  }

  protected override identityHeaders({ eventId, eventType, timestamp }: OutgoingWebhook): Record<string, string> {
    return {
      [WEBHOOKS.id]: eventId,
      [WEBHOOKS.topic]: eventType,
      [WEBHOOKS.triggeredAt]: new Date(timestamp * 1000).toISOString(),
    };
  }
}

/** One set or the other, never a mix: whichever is complete, else the one whose signature is there. */
function headerNames(webhook: IncomingWebhook): HeaderNames {
  const has = (name: string) => headerValues(webhook, name).length > 0;
  const isComplete = ({ signature, id, topic }: HeaderNames) => has(signature) && has(id) && has(topic);
  if (isComplete(WEBHOOKS)) return WEBHOOKS;
  if (isComplete(EVENTS)) return EVENTS;
  return !has(WEBHOOKS.signature) && has(EVENTS.signature) ? EVENTS : WEBHOOKS;
}

function namesAfter(prefix: string): HeaderNames {
  return {
    signature: `${prefix}Hmac-Sha256`,
    id: `${prefix}Webhook-Id`,
    topic: `${prefix}Topic`,
    event: `${prefix}Event-Id`,
    triggeredAt: `${prefix}Triggered-At`,
  };
}

function schemeOf({ signature }: HeaderNames): HmacScheme {
  return { signatureHeader: signature, algorithm: 'sha256', encoding: 'base64', prefix: '', template: '{body}' };
}
