import { Injectable } from '@nestjs/common';
import type { Counter } from 'prom-client';
import { Metrics } from '../metrics/index.js';
import { IdempotencyKeyInUseError, IdempotencyKeyReusedError } from './idempotency.errors.js';

/**
 * What became of a request with a key: carried out (`executed`, or `resumed` after an attempt that ended without an
 * answer), answered again out of `memory`, `redis` or the `database`, or refused (`in_use`, `reused`).
 */
export const OUTCOMES = ['executed', 'resumed', 'memory', 'redis', 'database', 'in_use', 'reused'] as const;
export type Outcome = (typeof OUTCOMES)[number];
export type OutcomeCounts = Record<Outcome, number>;

export function noOutcomes(): OutcomeCounts {
  return { executed: 0, resumed: 0, memory: 0, redis: 0, database: 0, in_use: 0, reused: 0 };
}

/** Counts outcomes, for Prometheus and for the statistics of all processes. */
@Injectable()
export class IdempotencyOutcomes {
  private pending = noOutcomes();
  private readonly counters: Record<Outcome, Counter.Internal>;

  constructor(metrics: Metrics) {
    const counter = metrics.counter('holdfast_idempotency_requests_total', 'Requests with an idempotency key', [
      'outcome',
    ]);
    const of = (outcome: Outcome) => counter.labels(outcome);
    this.counters = {
      executed: of('executed'),
      resumed: of('resumed'),
      memory: of('memory'),
      redis: of('redis'),
      database: of('database'),
      in_use: of('in_use'),
      reused: of('reused'),
    };
  }

  count(outcome: Outcome): void {
    this.counters[outcome].inc();
    this.pending[outcome] += 1;
  }

  /** Counts an error that refuses the key, and no other. */
  countRefusal(error: unknown): void {
    if (error instanceof IdempotencyKeyReusedError) this.count('reused');
    else if (error instanceof IdempotencyKeyInUseError) this.count('in_use');
  }

  /** What was counted since the last call; given back with `untake` when it could not be stored. */
  take(): OutcomeCounts {
    const taken = this.pending;
    this.pending = noOutcomes();
    return taken;
  }

  untake(counts: OutcomeCounts): void {
    for (const outcome of OUTCOMES) this.pending[outcome] += counts[outcome];
  }
}
