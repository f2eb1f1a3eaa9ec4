import { ValidationError } from '../../../kernel/app-error.js';
import type { Bucket } from './payment-figures.repository.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

interface Bounds {
  readonly lengthMs: number;
  readonly usualMs: number;
  /** In buckets: an answer is a few thousand rows at most. */
  readonly most: number;
  readonly says: string;
}

const BOUNDS: Readonly<Record<Bucket, Bounds>> = {
  hour: { lengthMs: HOUR_MS, usualMs: DAY_MS, most: 7 * 24, says: '7 days before to; ask for bucket=day' },
  day: { lengthMs: DAY_MS, usualMs: 30 * DAY_MS, most: 366, says: '366 days before to' },
};

/** Whole buckets, of UTC. */
export interface Span {
  readonly from: Date;
  /** Not included. */
  readonly to: Date;
}

/**
 * The buckets that an interval touches, up to the one that it is now.
 *
 * @param input RFC 3339; what is left out is counted from `now`
 * @throws ValidationError (400) when there are none, or too many
 */
export function spanOf(input: { readonly from?: string; readonly to?: string }, bucket: Bucket, now: Date): Span {
  const { lengthMs, usualMs, most, says } = BOUNDS[bucket];
  const wantedTo = Math.min(input.to === undefined ? Infinity : Date.parse(input.to), now.getTime());
  const wantedFrom = input.from === undefined ? wantedTo - usualMs : Date.parse(input.from);
  if (wantedFrom >= wantedTo)
    throw ValidationError.of([{ path: 'from', message: 'from must be before to, and in the past' }]);
  const from = Math.floor(wantedFrom / lengthMs) * lengthMs;
  const to = Math.ceil(wantedTo / lengthMs) * lengthMs;
  if (wantedTo - wantedFrom > most * lengthMs) {
    throw ValidationError.of([{ path: 'from', message: `from must be at most ${says}` }]);
  }
  return { from: new Date(from), to: new Date(to) };
}
