import { isJsonObject, type JsonObject, type JsonValue } from '../../../kernel/exact-json.js';
import { headerValues } from './request-header.js';
import { WebhookEventIdentityError } from './webhook-event-identity.error.js';
import type { EventIdentity, IncomingWebhook, TypePlace } from './webhook-provider.js';

/** The type of an event that names none, where the provider demands none. Handlers and filters may name it. */
export const UNTYPED = 'untyped';

const MAX_LENGTH = 255;
const TOO_LONG = `is longer than ${MAX_LENGTH} characters`;

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
  causeId?: JsonValue | undefined;
  memorySeconds?: number | undefined;
}): EventIdentity {
  const eventId = identity.id.map(requireText).join(':');
  if (eventId.length > MAX_LENGTH) {
    throw new WebhookEventIdentityError(identity.id.map((part) => part.name).join(' + '), TOO_LONG);
  }
  return {
    eventId,
    eventType: requireText(identity.type),
    orderingKey: hint(identity.orderingKey),
    occurredAt: identity.occurredAt !== undefined && isInstant(identity.occurredAt) ? identity.occurredAt : undefined,
    causeId: hint(identity.causeId),
    memorySeconds: identity.memorySeconds,
  };
}

/** @throws WebhookEventIdentityError when the header was sent more than once */
export function headerPart(webhook: IncomingWebhook, name: string): IdentityPart {
  const values = headerValues(webhook, name);
  if (values.length > 1) throw new WebhookEventIdentityError(name, 'was sent more than once');
  return { name, value: values[0] };
}

/** Where the source says the type is; undefined in either place without such a setting. */
export function placedType(
  webhook: IncomingWebhook,
  payload: JsonObject,
  { typeHeader, typePath }: TypePlace,
): (JsonValue | undefined)[] {
  return [
    typeHeader ? headerPart(webhook, typeHeader).value : undefined,
    typePath ? valueAt(payload, ...typePath.split('.')) : undefined,
  ];
}

/** The first of these that can be a type, else `UNTYPED`: an event is not refused for what its provider does not demand. */
export function typeOrUntyped(...candidates: readonly (JsonValue | undefined)[]): IdentityPart {
  return { name: 'type', value: candidates.find((value) => isUsable(value)) ?? UNTYPED };
}

/** Whether it can be a part of an identity, of at most so many characters. */
export function isUsable(value: JsonValue | undefined, maxLength = MAX_LENGTH): boolean {
  const read = readText(value);
  return 'text' in read && read.text.length <= maxLength;
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
  const read = readText(value);
  if ('problem' in read) throw new WebhookEventIdentityError(name, read.problem);
  return read.text;
}

function readText(value: JsonValue | undefined): { text: string } | { problem: string } {
  if (value === undefined || value === null) return { problem: 'is missing' };
  const text = textOf(value);
  if (text === undefined) return { problem: 'must be a text or a whole number' };
  if (text.length > MAX_LENGTH) return { problem: TOO_LONG };
  if (text.trim() === '') return { problem: 'is empty' };
  return UNUSABLE.test(text) ? { problem: 'holds control characters or broken Unicode' } : { text };
}

/** A whole number as its exact decimal digits; one that a double has rounded is no id. */
function textOf(value: JsonValue): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint') return value.toString();
  return typeof value === 'number' && Number.isSafeInteger(value) ? String(value) : undefined;
}

/** Only a hint: one that cannot be used is dropped, the event is not. */
function hint(value: JsonValue | undefined): string | undefined {
  const text = value === undefined ? undefined : textOf(value);
  return text === undefined || text === '' || text.length > MAX_LENGTH || UNUSABLE.test(text) ? undefined : text;
}

function isInstant(milliseconds: number): boolean {
  return Number.isSafeInteger(milliseconds) && milliseconds >= 0 && milliseconds <= LAST_INSTANT;
}
