import { Injectable } from '@nestjs/common';
import type { Counter } from 'prom-client';
import { Metrics } from '../../platform/metrics/index.js';
import type { Posting, PostingOutcome } from './posting.js';

const TYPES: readonly Posting['type'][] = ['transfer', 'reverse', 'hold', 'capture', 'void'];

type Child = Counter.Internal;

/** What the ledger tells Prometheus. Labels are fixed words. */
@Injectable()
export class LedgerMetrics {
  private readonly postings = new Map<Posting['type'], Child>();
  private readonly refusals = new Map<string, Child>();
  private readonly expirations;
  private readonly refused;
  private readonly flushes;
  private readonly violations;
  private readonly checkedAt;

  constructor(metrics: Metrics) {
    const posted = metrics.counter('holdfast_ledger_postings_total', 'Postings committed, by type', ['type']);
    for (const type of TYPES) this.postings.set(type, posted.labels(type));
    this.expirations = posted.labels('expire');
    this.refused = metrics.counter('holdfast_ledger_refusals_total', 'Postings refused, by error code', ['code']);
    // There from the start, so that the first attempt to overdraw is an increase.
    this.refused.inc({ code: 'INSUFFICIENT_FUNDS' }, 0);
    this.flushes = metrics.histogram('holdfast_ledger_flush_seconds', 'Time of one batch, commit included');
    this.violations = metrics.gauge('holdfast_ledger_violations', 'Broken invariants the last check found');
    this.checkedAt = metrics.gauge(
      'holdfast_ledger_checked_timestamp_seconds',
      'When the invariants were last checked; 0 before the first check',
    );
  }

  /** What a committed batch made of a request. */
  settled(postings: readonly Posting[], outcomes: readonly PostingOutcome[]): void {
    outcomes.forEach((outcome, index) => {
      const type = postings[index]?.type;
      if (type === undefined) return;
      if ('refused' in outcome) this.refusal(outcome.refused.code).inc();
      else this.postings.get(type)?.inc();
    });
  }

  /** How many holds a committed batch found to be over. */
  expired(count: number): void {
    this.expirations.inc(count);
  }

  flushed(seconds: number): void {
    this.flushes.observe(seconds);
  }

  checked(violations: number, at: Date): void {
    this.violations.set(violations);
    this.checkedAt.set(at.getTime() / 1000);
  }

  private refusal(code: string): Child {
    let child = this.refusals.get(code);
    if (!child) this.refusals.set(code, (child = this.refused.labels(code)));
    return child;
  }
}
