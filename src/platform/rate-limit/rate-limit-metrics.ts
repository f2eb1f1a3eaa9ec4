import { Injectable } from '@nestjs/common';
import { Metrics } from '../metrics/index.js';

type Outcome = 'allowed' | 'refused' | 'shadow_refused' | 'refunded' | 'repeat';

interface Counting {
  inc(): void;
}

/** Seconds. A decision in Redis takes a round trip; five milliseconds are the promise. */
const BUCKETS = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 0.5];

/** What the limits tell Prometheus. Labels are names of rules and fixed words. */
@Injectable()
export class RateLimitMetrics {
  private readonly decisions;
  private readonly limited;
  private readonly degraded;
  private readonly seconds;
  /** A label child costs more to find than to count, and this happens for each tier of each request. */
  private readonly byPolicy = new Map<string, Record<Outcome, Counting>>();

  constructor(metrics: Metrics) {
    this.decisions = metrics.counter('holdfast_rate_limit_decisions_total', 'Decisions by rule and what came of them', [
      'policy',
      'outcome',
    ]);
    this.limited = metrics.counter('holdfast_rate_limited_total', 'Requests refused with 429', ['policy']);
    this.degraded = metrics.counter('holdfast_rate_limit_degraded_total', 'Decisions made without the shared store');
    this.seconds = metrics.histogram(
      'holdfast_rate_limit_decision_seconds',
      'Time of one decision by the shared store, all tiers',
      { buckets: BUCKETS },
    );
  }

  count(policy: string, outcome: Outcome): void {
    this.countingOf(policy)[outcome].inc();
  }

  /** Answered 429. @param policy the rule the client was told about */
  countRefusal(policy: string): void {
    this.limited.inc({ policy });
  }

  /** Decided by this process for itself, because the store that all share did not answer. */
  countDegraded(): void {
    this.degraded.inc();
  }

  observe(seconds: number): void {
    this.seconds.observe(seconds);
  }

  private countingOf(policy: string): Record<Outcome, Counting> {
    const known = this.byPolicy.get(policy);
    if (known) return known;
    const child = (outcome: Outcome) => this.decisions.labels({ policy, outcome });
    const made = {
      allowed: child('allowed'),
      refused: child('refused'),
      shadow_refused: child('shadow_refused'),
      refunded: child('refunded'),
      repeat: child('repeat'),
    };
    this.byPolicy.set(policy, made);
    return made;
  }
}
