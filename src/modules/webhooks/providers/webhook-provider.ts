import type { IncomingHttpHeaders } from 'node:http';
import type { JsonObject } from '../../../kernel/exact-json.js';

export const PROVIDER_NAMES = ['stripe', 'paystack', 'gorgias', 'shopify', 'github', 'standard', 'hmac'] as const;
export type ProviderName = (typeof PROVIDER_NAMES)[number];

/** One request as it came off the wire. */
export interface IncomingWebhook {
  headers: IncomingHttpHeaders;
  /**
   * Header names and values in wire order (`request.raw.rawHeaders`), so that a signature header sent twice is seen
   * twice: `headers` joins or drops duplicates.
   */
  rawHeaders: readonly string[];
  rawBody: Buffer;
  /** The rest of the path, `/webhooks/:source/:topic`. */
  topic: string | undefined;
}

/** One secret the source accepts right now. */
export interface SigningSecret {
  id: string;
  /** As the provider shows it: text for most, `whsec_…`/`whpk_…` for Standard Webhooks. */
  value: string;
}

export interface VerifiedSignature {
  /** Which of the secrets matched. */
  secretId: string;
  /** Unix seconds, where the provider signs a time; the caller holds it against the replay window. */
  signedAt: number | undefined;
}

export interface EventIdentity {
  /** Not blank, at most 255 characters, no control characters, well-formed; unique within the source. */
  eventId: string;
  /** The same rules as for the id. */
  eventType: string;
  /** The entity whose events should run one after the other, for example a payment intent's id. */
  orderingKey: string | undefined;
  /** When the provider says it happened, unix milliseconds. */
  occurredAt: number | undefined;
  /** What several events may have come from, where the provider tells; for people and handlers, not for the dedupe key. */
  causeId?: string | undefined;
  /**
   * For how many seconds a repeat is the same event sent again: as long as its sender resends. After that it is a new one
   * that says the same, a state that came back. Absent where the provider gives every event an id of its own.
   */
  memorySeconds?: number | undefined;
  /** Absent where the id is one sender's own, or nothing tells the senders apart. */
  sender?: EventSender | undefined;
}

/**
 * Which of several senders sent this, where a provider gives one id to what each of them makes of one event. Another body
 * from another sender is then an event of its own, known by the id, a colon and `value`.
 */
export interface EventSender {
  /** Where it was said, in lower case. */
  header: string;
  value: string;
}

/**
 * The providers whose events need not say what type they are, and leave it to the operator where to put it: a source of
 * theirs may have a `TypePlace`. An `hmac` source has it in its scheme; everybody else always names the type.
 */
export const FREELY_TYPED: readonly ProviderName[] = ['standard', 'gorgias'];

/** Where a source's events say what type they are: a header, a path into the JSON body such as `data.kind`, or both. */
export interface TypePlace {
  typeHeader?: string | null;
  typePath?: string | null;
}

/** How an `hmac` source signs; `hmacScheme()` fills in defaults and checks it. */
export interface HmacScheme {
  signatureHeader: string;
  algorithm: 'sha256' | 'sha384' | 'sha512';
  encoding: 'hex' | 'base64' | 'base64url';
  /** Text before the encoded signature, for example `sha256=`. */
  prefix: string;
  /** What is signed, built from `{body}`, `{timestamp}` and `{id}`; `{body}` exactly once. */
  template: string;
  timestampHeader?: string;
  /** Where the event id is: a header, or a path into the JSON body such as `data.id`. */
  idHeader?: string;
  idPath?: string;
  typeHeader?: string;
  typePath?: string;
}

/** What `sign` is asked to send: the body and the parts some schemes sign beside it. */
export interface OutgoingWebhook {
  body: Buffer;
  eventId: string;
  eventType: string;
  /** Unix seconds. */
  timestamp: number;
}

/**
 * How one provider signs its webhooks and names its events. Every adapter passes the shared contract test
 * (`webhook-provider.contract.ts`). Pure: no clock, no database, no network.
 */
export interface WebhookProvider {
  readonly name: ProviderName;

  /** Bytes of the largest body the provider sends, where it says so and that is more than `WEBHOOK_BODY_LIMIT_BYTES`. */
  readonly maxBodyBytes?: number;

  /**
   * Verifies the signature over the exact raw bytes, in constant time, against every secret.
   *
   * @throws WebhookSignatureMissingError (401) when the header is absent or empty
   * @throws WebhookSignatureInvalidError (401) when it is malformed, given twice or matches no secret
   */
  verify(webhook: IncomingWebhook, secrets: readonly SigningSecret[], scheme?: HmacScheme): VerifiedSignature;

  /**
   * Names the event of a verified webhook.
   *
   * @param payloadHash hex SHA-256 of the body, for providers whose ids are not unique
   * @param typePlace of a source of a `FREELY_TYPED` provider
   * @throws WebhookEventIdentityError (400) when a part of the dedupe key is missing or unusable
   */
  identify(
    webhook: IncomingWebhook,
    payload: JsonObject,
    payloadHash: string,
    scheme?: HmacScheme,
    typePlace?: TypePlace,
  ): EventIdentity;

  /**
   * The bytes whose SHA-256 tells two bodies of one event apart; the raw body unless the provider changes a field on
   * each redelivery. For a body known to be JSON.
   */
  comparableBody(rawBody: Buffer): Buffer;

  /** The headers the provider would send with this event; the inverse of `verify`, for `holdfast send` and tests. */
  sign(webhook: OutgoingWebhook, secret: string, scheme?: HmacScheme): Record<string, string>;

  /** A real-looking body for `holdfast send`; `eventId` and `eventType` can be read back with `identify`. */
  sample(
    eventType: string | undefined,
    eventId: string,
    timestamp: number,
    scheme?: HmacScheme,
  ): { eventType: string; body: JsonObject };

  /** @throws ValidationError (400) naming what is wrong with a secret or scheme an operator gives */
  checkSecret(secret: string): void;
}
