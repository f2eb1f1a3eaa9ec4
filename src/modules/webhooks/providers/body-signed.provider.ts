import type { JsonObject } from '../../../kernel/exact-json.js';
import { signHmac, verifyHmac } from './hmac-signature.js';
import { checkSigningSecret } from './signing-secret.js';
import type {
  EventIdentity,
  HmacScheme,
  IncomingWebhook,
  OutgoingWebhook,
  ProviderName,
  SigningSecret,
  VerifiedSignature,
  WebhookProvider,
} from './webhook-provider.js';

/** What the providers have in common that sign the plain body with one HMAC in one header, and no time. */
export abstract class BodySignedProvider implements WebhookProvider {
  abstract readonly name: ProviderName;
  protected abstract readonly scheme: HmacScheme;

  abstract identify(webhook: IncomingWebhook, payload: JsonObject, payloadHash: string): EventIdentity;

  abstract readonly sample: WebhookProvider['sample'];

  verify(webhook: IncomingWebhook, secrets: readonly SigningSecret[]): VerifiedSignature {
    return verifyHmac(webhook, secrets, this.scheme);
  }

  comparableBody(rawBody: Buffer): Buffer {
    return rawBody;
  }

  sign(webhook: OutgoingWebhook, secret: string): Record<string, string> {
    return { ...signHmac(webhook, secret, this.scheme), ...this.identityHeaders(webhook) };
  }

  checkSecret(secret: string): void {
    checkSigningSecret(secret);
  }

  /** The headers beside the signature in which a provider names the event. */
  protected identityHeaders(_webhook: OutgoingWebhook): Record<string, string> {
    return {};
  }
}
