import { sign as signWithKey, verify as verifyWithKey } from 'node:crypto';
import type { JsonObject } from '../../../kernel/exact-json.js';
import { eventIdentity, headerPart, instantOf, placedType, typeOrUntyped, valueAt } from './event-identity.js';
import { headerValues } from './request-header.js';
import { standardSample } from './samples/standard.sample.js';
import { decodeSignature, hmac, isAnyOf, matchingSecretId, requireUnixSeconds, signedHeader } from './signature.js';
import { checkSigningSecret, secretError } from './signing-secret.js';
import { standardKey } from './standard-key.js';
import type {
  EventIdentity,
  HmacScheme,
  IncomingWebhook,
  OutgoingWebhook,
  SigningSecret,
  TypePlace,
  VerifiedSignature,
  WebhookProvider,
} from './webhook-provider.js';
import { WebhookSignatureInvalidError } from './webhook-signature.errors.js';

const STANDARD = { id: 'webhook-id', timestamp: 'webhook-timestamp', signature: 'webhook-signature' };
const SVIX = { id: 'svix-id', timestamp: 'svix-timestamp', signature: 'svix-signature' };

/** Checking an ed25519 signature takes 150 µs; a rotation needs two, and 16 KB of headers would hold 170. */
const MAX_ED25519_SIGNATURES = 4;

/** Of a shared secret, as the specification demands. */
const MIN_SECRET_BYTES = 24;
const MAX_SECRET_BYTES = 64;

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
export class StandardProvider implements WebhookProvider {
  readonly name = 'standard';
  readonly sample = standardSample;

  verify(webhook: IncomingWebhook, secrets: readonly SigningSecret[]): VerifiedSignature {
    const names = headerNames(webhook);
    const id = signedHeader(webhook, names.id);
    const timestamp = requireUnixSeconds(signedHeader(webhook, names.timestamp), names.timestamp);
    const signatures = parseSignatures(signedHeader(webhook, names.signature), names.signature);
    const prefix = `${id}.${timestamp.text}.`;
    const secretId = matchingSecretId(secrets, names.signature, (secret) =>
      matches(secret, prefix, webhook.rawBody, signatures),
    );
    return { secretId, signedAt: timestamp.seconds };
  }

  /** The specification demands no type, and not every sender puts it where it recommends. */
  identify(
    webhook: IncomingWebhook,
    payload: JsonObject,
    _payloadHash?: string,
    _scheme?: HmacScheme,
    typePlace: TypePlace = {},
  ): EventIdentity {
    const { type, event_type, event } = payload;
    return eventIdentity({
      id: [headerPart(webhook, headerNames(webhook).id)],
      type: typeOrUntyped(...placedType(webhook, payload, typePlace), type, event_type, event),
      orderingKey: valueAt(payload, 'data', 'id'),
      occurredAt: instantOf(payload.timestamp),
    });
  }

  comparableBody(rawBody: Buffer): Buffer {
    return rawBody;
  }

  /** @param secret `whsec_…` for `v1`, or the sender's private key `whsk_…` for `v1a` */
  sign(webhook: OutgoingWebhook, secret: string): Record<string, string> {
    return {
      [STANDARD.id]: webhook.eventId,
      [STANDARD.timestamp]: String(webhook.timestamp),
      [STANDARD.signature]: signatureFor(`${webhook.eventId}.${webhook.timestamp}.`, webhook.body, secret),
    };
  }

  checkSecret(secret: string): void {
    checkSigningSecret(secret);
    // As some senders show it, the version of the signature first.
    if (/^v1a?,/.test(secret)) {
      throw secretError(
        'starts with the version of the signature; give only what follows the comma, whsec_… or whpk_…',
      );
    }
    const key = standardKey(secret);
    if (key === undefined)
      throw secretError('must be whsec_<base64>, or whpk_<base64 of a 32 byte ed25519 public key>');
    if (key.kind === 'private') throw secretError("is the sender's private key; give the public one, whpk_…");
    if (key.kind === 'shared') checkLength(key.secret.length);
  }
}

/** Of what is given now: a secret that was stored before this was checked goes on verifying. */
function checkLength(bytes: number): void {
  if (bytes >= MIN_SECRET_BYTES && bytes <= MAX_SECRET_BYTES) return;
  throw secretError(
    `must be the base64 of ${MIN_SECRET_BYTES} to ${MAX_SECRET_BYTES} bytes, as Standard Webhooks says; this is of ${bytes}`,
  );
}

/** One set or the other, never a mix: whichever is complete, and what the specification names if neither is. */
function headerNames(webhook: IncomingWebhook): typeof STANDARD {
  const isComplete = (names: typeof STANDARD) =>
    Object.values(names).every((name) => headerValues(webhook, name).length > 0);
  return !isComplete(STANDARD) && isComplete(SVIX) ? SVIX : STANDARD;
}

interface Signatures {
  v1: readonly Buffer[];
  v1a: readonly Buffer[];
}

/** Space separated `<version>,<base64>`; versions other than `v1` and `v1a` are ignored. */
function parseSignatures(header: string, name: string): Signatures {
  const items = header.split(' ');
  const v1 = decodeVersion(items, 'v1,', 32);
  const v1a = decodeVersion(items, 'v1a,', 64);
  if ((v1.length === 0 && v1a.length === 0) || v1a.length > MAX_ED25519_SIGNATURES) {
    throw WebhookSignatureInvalidError.malformed(
      name,
      `v1,<base64> or at most ${MAX_ED25519_SIGNATURES} of v1a,<base64>`,
    );
  }
  return { v1, v1a };
}

function decodeVersion(items: readonly string[], version: string, byteLength: number): Buffer[] {
  return items
    .filter((item) => item.startsWith(version))
    .map((item) => decodeSignature(item.slice(version.length), 'base64', byteLength))
    .filter((signature) => signature !== undefined);
}

/** A shared secret checks `v1` only and a public key `v1a` only, so that neither can be passed off as the other. */
function matches(secret: string, prefix: string, body: Buffer, { v1, v1a }: Signatures): boolean {
  const key = standardKey(secret);
  if (key?.kind === 'shared') return v1.length > 0 && isAnyOf(hmac('sha256', key.secret, prefix, body), v1);
  if (key?.kind !== 'public' || v1a.length === 0) return false;
  const signed = Buffer.concat([Buffer.from(prefix), body]);
  return v1a.some((signature) => verifyWithKey(null, signed, key.key, signature));
}

function signatureFor(prefix: string, body: Buffer, secret: string): string {
  const key = standardKey(secret);
  if (key?.kind === 'shared') return `v1,${hmac('sha256', key.secret, prefix, body).toString('base64')}`;
  if (key?.kind !== 'private') throw secretError('to sign with must be whsec_<base64>, or whsk_<base64> for ed25519');
  return `v1a,${signWithKey(null, Buffer.concat([Buffer.from(prefix), body]), key.key).toString('base64')}`;
}
