import type { Answer } from './http-answer.js';
import { newEventId, type StripeEvent, stripeEvent, unixNow, WebhookSender } from './webhook-sender.js';

/** What the handlers of `effect-server.ts` do is the event's type; how they do it is in `data.object`. */
export interface EffectParameters {
  /** The entity, for sources with ordering; its own for each event unless told. */
  id?: string;
  /** How long the handler takes. */
  ms?: number;
  /** Attempts that go wrong before one succeeds. */
  failures?: number;
  /** What the handler writes beside the event's id, for example a state. */
  value?: string;
  /** The process in which it goes wrong. */
  pid?: number;
}

/** @param created when it happened, unix seconds */
export function effectEvent(type: string, parameters: EffectParameters = {}, created = unixNow()): StripeEvent {
  return stripeEvent(type, { created, object: { id: newEventId(), object: 'payment_intent', ...parameters } });
}

/** @throws TypeError when the connection breaks before the answer */
export function sendEvent(url: string, event: StripeEvent, source = 'stripe'): Promise<Answer> {
  return new WebhookSender(url).stripe(event, { path: `/webhooks/${source}` });
}
