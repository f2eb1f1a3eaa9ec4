import { performance } from 'node:perf_hooks';
import type { RateLimitStore } from './rate-limit-store.js';
import { decide, type RateDecision, type RateLimit, type WindowCounts } from './sliding-window.js';

interface Entry extends WindowCounts {
  window: number;
}

/** Addresses are chosen by senders: beyond this many the oldest are forgotten. About 20 MiB. */
const MAX_KEYS = 100_000;

/** One process's own count, by its monotonic clock. */
export class MemoryRateLimitStore implements RateLimitStore {
  private readonly entries = new Map<string, Entry>();

  constructor(private readonly now: () => number = () => performance.now()) {}

  take(key: string, rule: RateLimit): RateDecision {
    const now = this.now();
    const window = Math.floor(now / rule.windowMs);
    const entry = this.entryOf(key, window);
    const decision = decide(rule, entry, now - window * rule.windowMs);
    if (decision.allowed) entry.current += 1;
    return decision;
  }

  private entryOf(key: string, window: number): Entry {
    let entry = this.entries.get(key);
    if (!entry) {
      if (this.entries.size >= MAX_KEYS) this.forgetOldest();
      entry = { window, current: 0, previous: 0 };
      this.entries.set(key, entry);
    } else if (entry.window !== window) {
      entry.previous = entry.window === window - 1 ? entry.current : 0;
      entry.current = 0;
      entry.window = window;
    }
    return entry;
  }

  private forgetOldest(): void {
    const oldest = this.entries.keys().next();
    if (!oldest.done) this.entries.delete(oldest.value);
  }
}
