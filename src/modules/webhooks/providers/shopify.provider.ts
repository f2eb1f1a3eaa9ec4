import type { JsonObject } from '../../../kernel/exact-json.js';
import { BodySignedProvider } from './body-signed.provider.js';
import { eventIdentity, headerPart, instantOf } from './event-identity.js';
import { shopifySample } from './samples/shopify.sample.js';
import type { EventIdentity, HmacScheme, IncomingWebhook, OutgoingWebhook } from './webhook-provider.js';

const ID = 'X-Shopify-Webhook-Id';
const TOPIC = 'X-Shopify-Topic';
const TRIGGERED_AT = 'X-Shopify-Triggered-At';

/** https://shopify.dev/docs/apps/build/webhooks/subscribe/https. Id and topic are headers and, as such, not signed. */
export class ShopifyProvider extends BodySignedProvider {
  readonly name = 'shopify';
  protected readonly scheme: HmacScheme = {
    signatureHeader: 'X-Shopify-Hmac-Sha256',
    algorithm: 'sha256',
    encoding: 'base64',
    prefix: '',
    template: '{body}',
  };
  readonly sample = shopifySample;

  identify(webhook: IncomingWebhook, payload: JsonObject): EventIdentity {
    return eventIdentity({
      id: [headerPart(webhook, ID)],
      type: headerPart(webhook, TOPIC),
      // A refund or fulfilment waits for its order.
      orderingKey: payload.order_id ?? payload.id,
      occurredAt: instantOf(headerPart(webhook, TRIGGERED_AT).value),
    });
  }

  protected override identityHeaders({ eventId, eventType, timestamp }: OutgoingWebhook): Record<string, string> {
    return { [ID]: eventId, [TOPIC]: eventType, [TRIGGERED_AT]: new Date(timestamp * 1000).toISOString() };
  }
}
