import { isJsonObject, type JsonValue } from '../../../kernel/exact-json.js';
import { headerValues } from './request-header.js';
import { WebhookEventIdentityError } from './webhook-event-identity.error.js';
import type { EventIdentity, IncomingWebhook } from './webhook-provider.js';

const MAX_LENGTH = 255;

/** Control characters, and halves of surrogate pairs, which no UTF-8 text can hold. */
const UNUSABLE = /[\p{Cc}\p{Surrogate}]/u;

/** 9999-12-31T23:59:59.999Z; PostgreSQL does not read the years JavaScript prints after it. */
const LAST_INSTANT = 253_402_300_799_999;

/** One part of a dedupe key. `name` says where it comes from: a header or a path in the body. */
export interface IdentityPart {
  name: string;
  value: JsonValue | undefined;
}

/**
 * Checks both parts, the one place where that happens.
 *
 * @param id one part, or several that are joined with a colon
 * @throws WebhookEventIdentityError naming the part that is missing or unusable
 */
export function eventIdentity(identity: {
  id: readonly IdentityPart[];
  type: IdentityPart;
  orderingKey?: JsonValue | undefined;
  occurredAt?: number | undefined;
}): EventIdentity {
  const eventId = identity.id.map(requireText).join(':');
  if (eventId.length > MAX_LENGTH) throw tooLong(identity.id.map((part) => part.name).join(' + '));
  return {
    eventId,
    eventType: requireText(identity.type),
    orderingKey: orderingKey(identity.orderingKey),
    occurredAt: identity.occurredAt !== undefined && isInstant(identity.occurredAt) ? identity.occurredAt : undefined,
  };
}

/** @throws WebhookEventIdentityError when the header was sent more than once */
export function headerPart(webhook: IncomingWebhook, name: string): IdentityPart {
  const values = headerValues(webhook, name);
  if (values.length > 1) throw new WebhookEventIdentityError(name, 'was sent more than once');
  return { name, value: values[0] };
}

/** Follows own properties and array indexes only, so that `constructor` and its like are never found. */
export function valueAt(value: JsonValue | undefined, ...path: readonly string[]): JsonValue | undefined {
  let current = value;
  for (const key of path) {
    if (Array.isArray(current)) current = /^\d{1,9}$/.test(key) ? current[Number(key)] : undefined;
    else current = isJsonObject(current) && Object.hasOwn(current, key) ? current[key] : undefined;
  }
  return current;
}

/** Unix milliseconds of an ISO 8601 text, of which Node reads any number of decimals. */
export function instantOf(value: JsonValue | undefined): number | undefined {
  return typeof value === 'string' ? Date.parse(value) : undefined;
}

function requireText({ name, value }: IdentityPart): string {
  if (value === undefined || value === null) throw new WebhookEventIdentityError(name, 'is missing');
  const text = textOf(value);
  if (text === undefined) throw new WebhookEventIdentityError(name, 'must be a text or a whole number');
  if (text.length > MAX_LENGTH) throw tooLong(name);
  if (text.trim() === '') throw new WebhookEventIdentityError(name, 'is empty');
  if (UNUSABLE.test(text)) throw new WebhookEventIdentityError(name, 'holds control characters or broken Unicode');
  return text;
}

/** A whole number as its exact decimal digits; one that a double has rounded is no id. */
function textOf(value: JsonValue): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint') return value.toString();
  return typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : undefined;
}

/** Only a hint: one that cannot be used is dropped, the event is not. */
function orderingKey(value: JsonValue | undefined): string | undefined {
  const text = value === undefined ? undefined : textOf(value);
  return text === undefined || text === '' || text.length > MAX_LENGTH || UNUSABLE.test(text) ? undefined : text;
}

function isInstant(milliseconds: number): boolean {
  return Number.isSafeInteger(milliseconds) && milliseconds >= 0 && milliseconds <= LAST_INSTANT;
}

function tooLong(name: string): WebhookEventIdentityError {
  return new WebhookEventIdentityError(name, `is longer than ${MAX_LENGTH} characters`);
}
