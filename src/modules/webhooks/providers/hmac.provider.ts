import type { JsonObject } from '../../../kernel/exact-json.js';
import { eventIdentity, headerPart, typeOrUntyped, valueAt, type IdentityPart } from './event-identity.js';
import { DEFAULT_HMAC_SCHEME } from './hmac-scheme.js';
import { signHmac, verifyHmac } from './hmac-signature.js';
import { hmacSample } from './samples/hmac.sample.js';
import { checkSigningSecret } from './signing-secret.js';
import type {
  EventIdentity,
  IncomingWebhook,
  OutgoingWebhook,
  SigningSecret,
  VerifiedSignature,
  WebhookProvider,
} from './webhook-provider.js';

/** A sender of one's own: how it signs and where it puts id and type is the source's `HmacScheme`. */
export class HmacProvider implements WebhookProvider {
  readonly name = 'hmac';
  readonly sample = hmacSample;

  verify(webhook: IncomingWebhook, secrets: readonly SigningSecret[], scheme = DEFAULT_HMAC_SCHEME): VerifiedSignature {
    return verifyHmac(webhook, secrets, scheme);
  }

  identify(
    webhook: IncomingWebhook,
    payload: JsonObject,
    _payloadHash: string,
    scheme = DEFAULT_HMAC_SCHEME,
  ): EventIdentity {
    return eventIdentity({
      id: [headerOrPath(webhook, payload, scheme.idHeader, scheme.idPath ?? 'id')],
      type: typeOrUntyped(headerOrPath(webhook, payload, scheme.typeHeader, scheme.typePath ?? 'type').value),
    });
  }

  comparableBody(rawBody: Buffer): Buffer {
    return rawBody;
  }

  sign(webhook: OutgoingWebhook, secret: string, scheme = DEFAULT_HMAC_SCHEME): Record<string, string> {
    return {
      ...signHmac(webhook, secret, scheme),
      ...(scheme.typeHeader !== undefined && { [scheme.typeHeader]: webhook.eventType }),
    };
  }

  checkSecret(secret: string): void {
    checkSigningSecret(secret);
  }
}

function headerOrPath(
  webhook: IncomingWebhook,
  payload: JsonObject,
  header: string | undefined,
  path: string,
): IdentityPart {
  if (header !== undefined) return headerPart(webhook, header);
  return { name: path, value: valueAt(payload, ...path.split('.')) };
}
