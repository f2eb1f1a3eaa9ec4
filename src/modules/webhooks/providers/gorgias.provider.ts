import type { JsonObject } from '../../../kernel/exact-json.js';
import { BodySignedProvider } from './body-signed.provider.js';
import { eventIdentity, instantOf, placedType, typeOrUntyped, valueAt } from './event-identity.js';
import { gorgiasSample } from './samples/gorgias.sample.js';
import type { EventIdentity, HmacScheme, IncomingWebhook, TypePlace } from './webhook-provider.js';

/**
 * Gorgias tries a request again a few times (three, by those who have counted) and does not say how far apart; six hours
 * outlast them with two hours between any two. It keeps no longer than that because a state comes back: a ticket that is
 * opened, closed and opened again sends the first body once more, unless its template holds the time of the change.
 */
const MEMORY_SECONDS = 6 * 3600;

/** https://developers.gorgias.com/docs/http-integrations: the body is a template the operator fills in at Gorgias. */
export class GorgiasProvider extends BodySignedProvider {
  readonly name = 'gorgias';
  protected readonly scheme: HmacScheme = {
    signatureHeader: 'X-Gorgias-Signature',
    algorithm: 'sha256',
    encoding: 'hex',
    prefix: '',
    template: '{body}',
  };
  readonly sample = gorgiasSample;

  /** One webhook id covers every event an integration sends, so only the content tells them apart. */
  identify(
    webhook: IncomingWebhook,
    payload: JsonObject,
    payloadHash: string,
    _scheme?: HmacScheme,
    typePlace: TypePlace = {},
  ): EventIdentity {
    return eventIdentity({
      id: [
        { name: 'webhook_id (or id)', value: payload.webhook_id ?? payload.id },
        { name: 'payload hash', value: payloadHash },
      ],
      type: typeOrUntyped(...placedType(webhook, payload, typePlace), payload.event_type, webhook.topic),
      orderingKey: valueAt(payload, 'ticket', 'id') ?? payload.ticket_id,
      occurredAt: instantOf(payload.created_datetime),
      memorySeconds: MEMORY_SECONDS,
    });
  }
}
