import type { JsonObject } from '../../../../kernel/exact-json.js';
import { DEFAULT_HMAC_SCHEME } from '../hmac-scheme.js';
import type { HmacScheme } from '../webhook-provider.js';
import { isoTime, numberFor } from './sample-values.js';

/** @returns a body with id and type at the paths the scheme reads them from; in headers, `sign` puts them there */
export function hmacSample(
  eventType = 'order.created',
  eventId: string,
  timestamp: number,
  { idHeader, idPath = 'id', typeHeader, typePath = 'type' }: HmacScheme = DEFAULT_HMAC_SCHEME,
) {
  const body: JsonObject = {
    created_at: isoTime(timestamp),
    order: { number: numberFor(eventId, 6), amount: 4200, currency: 'EUR' },
  };
  if (idHeader === undefined) place(body, idPath.split('.'), eventId);
  if (typeHeader === undefined) place(body, typePath.split('.'), eventType);
  return { eventType, body };
}

/** Builds the objects of the path as needed; a `__proto__` in it stays a plain property. */
function place(target: JsonObject, [key = '', ...rest]: readonly string[], value: string): void {
  if (rest.length === 0) {
    define(target, key, value);
    return;
  }
  const existing = Object.hasOwn(target, key) ? target[key] : undefined;
  const child: JsonObject =
    typeof existing === 'object' && existing !== null && !Array.isArray(existing) ? existing : {};
  define(target, key, child);
  place(child, rest, value);
}

function define(target: JsonObject, key: string, value: string | JsonObject): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}
