import { performance } from 'node:perf_hooks';
import { type Decision, decide } from '../decision.js';
import type { RateLimitStore } from '../rate-limit-store.js';
import type { Reading } from '../reading.js';
import { chargeWindow, readWindow, refundWindow, type Slots } from '../sliding-window.js';
import type { Tier } from '../tier.js';
import { chargeBucket, readBucket, refillMs } from '../token-bucket.js';

/** What is known of one tier of one subject. */
interface Counter extends Slots {
  /** Of a token bucket. */
  fullAt: number;
}

interface Subject {
  /** By the tier's counter: a handful, found faster than in a map. */
  readonly names: string[];
  readonly counters: Counter[];
}

/** Addresses are chosen by senders: of more subjects than twice this those seen longest ago are forgotten. About 30 MiB. */
const GENERATION = 50_000;

/** One process's own count, by its monotonic clock. Answers at once, without a promise. */
export class MemoryRateLimitStore implements RateLimitStore {
  /** Seen since `bornAt`. Two generations, because taking single subjects out of one map in their order is slow. */
  private young = new Map<string, Subject>();
  /** Not seen since then, but before. */
  private old = new Map<string, Subject>();
  private bornAt = -Infinity;
  /** The longest window so far: what was not seen for so long counts no more. */
  private longestMs = 0;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Subjects remembered. */
  get size(): number {
    return this.young.size + this.old.size;
  }

  take(name: string, tiers: readonly Tier[]): Decision {
    const now = this.now();
    const subject = this.subjectOf(name, now);
    const decision = decide(
      tiers,
      tiers.map((rule) => read(rule, counterOf(subject, rule.counter), now)),
    );
    for (const rule of decision.charged) {
      const counter = counterOf(subject, rule.counter);
      if (rule.algorithm === 'token-bucket') counter.fullAt = chargeBucket(rule, counter.fullAt, now);
      else chargeWindow(rule, counter, now);
      this.longestMs = Math.max(this.longestMs, rule.windowMs + rule.slotMs);
    }
    return decision;
  }

  refund(name: string, tiers: readonly Tier[]): void {
    const subject = this.young.get(name) ?? this.old.get(name);
    if (!subject) return;
    for (const rule of tiers) {
      const counter = counterOf(subject, rule.counter);
      if (rule.algorithm === 'token-bucket') counter.fullAt -= refillMs(rule);
      else refundWindow(counter);
    }
  }

  look(name: string, tiers: readonly Tier[]): Reading[] {
    const now = this.now();
    const subject = this.young.get(name) ?? this.old.get(name) ?? newSubject();
    return tiers.map((rule) => read(rule, counterOf(subject, rule.counter), now));
  }

  private subjectOf(name: string, now: number): Subject {
    const known = this.young.get(name);
    if (known) return known;
    if (this.young.size >= GENERATION || now - this.bornAt > this.longestMs) this.age(now);
    const subject = this.old.get(name) ?? newSubject();
    this.old.delete(name);
    this.young.set(name, subject);
    return subject;
  }

  private age(now: number): void {
    this.old = this.young;
    this.young = new Map();
    this.bornAt = now;
  }
}

function newSubject(): Subject {
  return { names: [], counters: [] };
}

function counterOf({ names, counters }: Subject, name: string): Counter {
  const known = counters[names.indexOf(name)];
  if (known) return known;
  const counter: Counter = { times: [], counts: [], used: 0, fullAt: 0 };
  names.push(name);
  counters.push(counter);
  return counter;
}

function read(rule: Tier, counter: Counter, now: number): Reading {
  return rule.algorithm === 'token-bucket' ? readBucket(rule, counter.fullAt, now) : readWindow(rule, counter, now);
}
