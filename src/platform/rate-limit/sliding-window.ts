import type { Reading } from './reading.js';
import type { Tier } from './tier.js';

/** The requests of one window, oldest first: `counts[i]` of them in the slot that began at `times[i]` (ms). */
export interface Slots {
  readonly times: number[];
  readonly counts: number[];
  /** The sum of `counts`. */
  used: number;
}

/**
 * A log of requests, those of one slot kept together. A slot leaves when the last request it may hold is a whole window
 * old: so no window ever holds more than the limit, and a place is free again at most one slot, half a hundredth of the
 * window, later than in an exact log. Two weighted counters, the usual shortcut, err by up to half the limit after a burst.
 *
 * @param now milliseconds of a clock that only goes forward; slots that are over are removed
 */
export function readWindow(rule: Tier, slots: Slots, now: number): Reading {
  const { times, counts } = slots;
  const reach = rule.windowMs + rule.slotMs;
  let over = 0;
  while (over < times.length && (times[over] ?? 0) + reach <= now) slots.used -= counts[over++] ?? 0;
  if (over > 0) {
    times.splice(0, over);
    counts.splice(0, over);
  }
  const { used } = slots;
  const waitMs = used < rule.limit ? 0 : untilFree(slots, used + 1 - rule.limit) + reach - now;
  const newest = times.at(-1);
  return { used, waitMs, clearMs: newest === undefined ? 0 : newest + reach - now };
}

export function chargeWindow({ slotMs }: Tier, slots: Slots, now: number): void {
  const { times, counts } = slots;
  const last = times.length - 1;
  const newest = times[last] ?? -Infinity;
  const time = slotMs === 0 ? now : Math.floor(now / slotMs) * slotMs;
  if (time > newest) {
    times.push(time);
    counts.push(1);
  } else {
    counts[last] = (counts[last] ?? 0) + 1;
  }
  slots.used += 1;
}

/** Takes the newest request back: which of those of a moment it was makes no difference. */
export function refundWindow(slots: Slots): void {
  const { times, counts } = slots;
  const last = times.length - 1;
  if (last < 0) return;
  const left = (counts[last] ?? 0) - 1;
  slots.used -= 1;
  counts[last] = left;
  if (left > 0) return;
  times.pop();
  counts.pop();
}

/** The time of the slot with whose end `needed` requests have left. */
function untilFree({ times, counts }: Slots, needed: number): number {
  let left = needed;
  for (let at = 0; at < times.length; at++) {
    left -= counts[at] ?? 0;
    if (left <= 0) return times[at] ?? 0;
  }
  return 0;
}
