import { createHash } from 'node:crypto';

/** A number of `digits` (at most 12) that is the same for the same event and, in all likelihood, another for another. */
export function numberFor(eventId: string, digits: number): number {
  const lowest = 10 ** (digits - 1);
  return lowest + (createHash('sha256').update(eventId).digest().readUIntBE(0, 6) % (9 * lowest));
}

/** Letters and digits in the manner of provider ids, the same for the same event. */
export function tokenFor(eventId: string, length: number): string {
  return createHash('sha512').update(eventId).digest('base64').replace(/[+/=]/g, '').slice(0, length);
}

/** Unix seconds to ISO 8601. */
export function isoTime(timestamp: number): string {
  return new Date(timestamp * 1000).toISOString();
}
