import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Metrics } from '../../platform/metrics/index.js';
import type { OperationKind } from './providers/provider-operation.entity.js';

/** Index: payments_review_idx. */
const REVIEWS_WAITING = `SELECT count(*)::integer AS waiting FROM payments WHERE review IS NOT NULL`;

@Injectable()
export class PaymentMetrics {
  private readonly changes;
  private readonly calls;
  private readonly disputes;

  constructor(metrics: Metrics, dataSource: DataSource) {
    this.changes = metrics.counter('holdfast_payment_changes_total', 'Charges that came to a status', [
      'provider',
      'status',
    ]);
    this.disputes = metrics.counter('holdfast_dispute_changes_total', 'Disputes that came to a status', [
      'provider',
      'status',
    ]);
    this.calls = metrics.histogram('holdfast_payment_provider_call_seconds', 'Calls to payment providers', {
      labelNames: ['provider', 'kind', 'outcome'],
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20],
    });
    metrics.gauge('holdfast_payment_reviews_waiting', 'Payments somebody has to look at', [], async (gauge) => {
      const [row] = await dataSource.query<{ waiting: number }[]>(REVIEWS_WAITING);
      gauge.set(row?.waiting ?? 0);
    });
  }

  changed(provider: string, status: string): void {
    this.changes.inc({ provider, status });
  }

  disputed(provider: string, status: string): void {
    this.disputes.inc({ provider, status });
  }

  called(provider: string, kind: OperationKind, outcome: string, seconds: number): void {
    this.calls.observe({ provider, kind, outcome }, seconds);
  }
}
