import { DEFAULT_TIMESTAMP_HEADER } from './hmac-scheme.js';
import {
  decodeSignature,
  DIGEST_BYTES,
  hmac,
  isAnyOf,
  matchingSecretId,
  requireUnixSeconds,
  signedHeader,
} from './signature.js';
import type {
  HmacScheme,
  IncomingWebhook,
  OutgoingWebhook,
  SigningSecret,
  VerifiedSignature,
} from './webhook-provider.js';
import { WebhookSignatureInvalidError } from './webhook-signature.errors.js';

type TemplatePart = { placeholder: 'body' | 'timestamp' | 'id' } | { literal: string };

const parsedTemplates = new WeakMap<HmacScheme, readonly TemplatePart[]>();

/**
 * Verifies one HMAC in one header: the custom scheme, and the providers that sign the plain body.
 *
 * @throws WebhookSignatureMissingError WebhookSignatureInvalidError as `WebhookProvider.verify`
 */
export function verifyHmac(
  webhook: IncomingWebhook,
  secrets: readonly SigningSecret[],
  scheme: HmacScheme,
): VerifiedSignature {
  const signature = readSignature(webhook, scheme);
  const template = templateOf(scheme);
  const timestamp = uses(template, 'timestamp') ? readTimestamp(webhook, scheme) : undefined;
  const id = uses(template, 'id') ? signedHeader(webhook, idHeaderOf(scheme)) : '';
  const parts = fill(template, { body: webhook.rawBody, timestamp: timestamp?.text ?? '', id });
  const secretId = matchingSecretId(secrets, scheme.signatureHeader, (secret) =>
    isAnyOf(hmac(scheme.algorithm, secret, ...parts), [signature]),
  );
  return { secretId, signedAt: timestamp?.seconds };
}

/** The headers that `verifyHmac` reads. */
export function signHmac(webhook: OutgoingWebhook, secret: string, scheme: HmacScheme): Record<string, string> {
  const template = templateOf(scheme);
  const timestamp = String(webhook.timestamp);
  const parts = fill(template, { body: webhook.body, timestamp, id: webhook.eventId });
  const signature = hmac(scheme.algorithm, secret, ...parts).toString(scheme.encoding);
  return {
    [scheme.signatureHeader]: scheme.prefix + signature,
    ...(uses(template, 'timestamp') && { [timestampHeaderOf(scheme)]: timestamp }),
    ...(scheme.idHeader !== undefined && { [scheme.idHeader]: webhook.eventId }),
  };
}

function readSignature(webhook: IncomingWebhook, scheme: HmacScheme): Buffer {
  const { signatureHeader, prefix, encoding, algorithm } = scheme;
  const header = signedHeader(webhook, signatureHeader);
  const bytes = DIGEST_BYTES[algorithm];
  const signature = header.startsWith(prefix)
    ? decodeSignature(header.slice(prefix.length), encoding, bytes)
    : undefined;
  if (signature === undefined) {
    throw WebhookSignatureInvalidError.malformed(signatureHeader, `${prefix}<${bytes} bytes in ${encoding}>`);
  }
  return signature;
}

function readTimestamp(webhook: IncomingWebhook, scheme: HmacScheme) {
  const header = timestampHeaderOf(scheme);
  return requireUnixSeconds(signedHeader(webhook, header), header);
}

function timestampHeaderOf(scheme: HmacScheme): string {
  return scheme.timestampHeader ?? DEFAULT_TIMESTAMP_HEADER;
}

function idHeaderOf(scheme: HmacScheme): string {
  if (scheme.idHeader === undefined) throw new TypeError('A template with {id} needs an idHeader; see hmacScheme()');
  return scheme.idHeader;
}

/** Parsed once per scheme object, not once per event. */
function templateOf(scheme: HmacScheme): readonly TemplatePart[] {
  let parts = parsedTemplates.get(scheme);
  if (parts === undefined) {
    parts = parseTemplate(scheme.template);
    parsedTemplates.set(scheme, parts);
  }
  return parts;
}

function parseTemplate(template: string): TemplatePart[] {
  return template
    .split(/(\{body\}|\{timestamp\}|\{id\})/)
    .filter((piece) => piece !== '')
    .map((piece) => {
      if (piece === '{body}') return { placeholder: 'body' };
      if (piece === '{timestamp}') return { placeholder: 'timestamp' };
      return piece === '{id}' ? { placeholder: 'id' } : { literal: piece };
    });
}

function uses(template: readonly TemplatePart[], placeholder: 'timestamp' | 'id'): boolean {
  return template.some((part) => 'placeholder' in part && part.placeholder === placeholder);
}

function fill(
  template: readonly TemplatePart[],
  values: { body: Buffer; timestamp: string; id: string },
): (string | Buffer)[] {
  return template.map((part) => ('literal' in part ? part.literal : values[part.placeholder]));
}
