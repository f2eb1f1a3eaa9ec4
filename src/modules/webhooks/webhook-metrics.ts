import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Metrics } from '../../platform/metrics/index.js';

/** Index: webhook_events_due_idx, so the depth of history does not matter. */
const QUEUE = `
  SELECT
    count(*) FILTER (WHERE status <> 'PROCESSING')::integer AS waiting,
    count(*) FILTER (WHERE status = 'PROCESSING')::integer AS processing,
    coalesce(
      extract(epoch FROM now() - min(next_attempt_at) FILTER (WHERE status <> 'PROCESSING' AND next_attempt_at <= now())),
      0
    )::float8 AS age
  FROM webhook_events
  WHERE next_attempt_at IS NOT NULL`;

interface Queue {
  waiting: number;
  processing: number;
  /** Seconds. */
  age: number;
}

/** What the webhook engine tells Prometheus. Labels are source names and fixed words, never what a sender chose. */
@Injectable()
export class WebhookMetrics {
  private readonly known = new Set<string>();
  private readonly received;
  private readonly rejected;
  private readonly signatureFailures;
  private readonly processed;
  private readonly duration;
  private readonly retries;
  private readonly deadLetters;
  private readonly duplicates;
  private readonly conflicts;
  private readonly leasesExpired;

  constructor(metrics: Metrics, dataSource: DataSource) {
    this.received = metrics.counter('holdfast_webhook_events_received_total', 'Verified webhooks by what they were', [
      'source',
      'result',
    ]);
    this.rejected = metrics.counter('holdfast_webhook_rejected_total', 'Webhooks refused, by error code', [
      'source',
      'code',
    ]);
    this.signatureFailures = metrics.counter(
      'holdfast_webhook_signature_failures_total',
      'Webhooks whose signature was missing or wrong',
      ['source'],
    );
    this.processed = metrics.counter('holdfast_webhook_events_processed_total', 'Attempts by how they ended', [
      'source',
      'status',
    ]);
    this.duration = metrics.histogram('holdfast_webhook_processing_seconds', 'Time of one attempt, commit included', {
      labelNames: ['source'],
    });
    this.retries = metrics.counter('holdfast_webhook_retries_total', 'Retries scheduled', ['source']);
    this.deadLetters = metrics.counter('holdfast_webhook_dead_letters_total', 'Events that used up their retries', [
      'source',
    ]);
    this.duplicates = metrics.counter('holdfast_webhook_duplicates_total', 'Events received again', ['source']);
    this.conflicts = metrics.counter(
      'holdfast_webhook_conflicts_total',
      'Events received again under the same id with another body',
      ['source'],
    );
    this.leasesExpired = metrics.counter(
      'holdfast_webhook_leases_expired_total',
      'Claims whose worker did not come back in time',
    );
    let reading: Promise<Queue> | undefined;
    // One query for both gauges: they are collected at the same time, and each sees what is so now.
    const queue = () => (reading ??= readQueue(dataSource).finally(() => (reading = undefined)));
    metrics.gauge('holdfast_webhook_queue_depth', 'Events not finished yet', ['state'], async (gauge) => {
      const { waiting, processing } = await queue();
      gauge.set({ state: 'waiting' }, waiting);
      gauge.set({ state: 'processing' }, processing);
    });
    const oldest = 'holdfast_webhook_oldest_due_seconds';
    metrics.gauge(oldest, 'How long the oldest due event has waited', [], async (gauge) => {
      // Unknown while the database is away, rather than what it was before.
      gauge.set(NaN);
      gauge.set((await queue()).age);
    });
  }

  /** Counters start at 0 for a known source, so that the first dead letter is an increase and not the first value. */
  know(source: string): void {
    if (this.known.has(source)) return;
    this.known.add(source);
    for (const counter of [this.signatureFailures, this.retries, this.deadLetters, this.duplicates, this.conflicts]) {
      counter.inc({ source }, 0);
    }
  }

  accepted(source: string, result: 'stored' | 'duplicate' | 'conflict'): void {
    this.received.inc({ source, result });
    if (result === 'duplicate') this.duplicates.inc({ source });
    if (result === 'conflict') this.conflicts.inc({ source });
  }

  refused(source: string, code: string): void {
    this.rejected.inc({ source, code });
    if (code.startsWith('WEBHOOK_SIGNATURE')) this.signatureFailures.inc({ source });
  }

  finished(source: string, status: string, seconds: number): void {
    this.processed.inc({ source, status });
    this.duration.observe({ source }, seconds);
    if (status === 'FAILED') this.retries.inc({ source });
    if (status === 'DEAD_LETTER') this.deadLetters.inc({ source });
  }

  /** A claim whose worker did not come back, and what became of its event. */
  abandoned(source: string, status: 'FAILED' | 'DEAD_LETTER'): void {
    this.leasesExpired.inc();
    this.processed.inc({ source, status });
    (status === 'FAILED' ? this.retries : this.deadLetters).inc({ source });
  }
}

async function readQueue(dataSource: DataSource): Promise<Queue> {
  const [queue] = await dataSource.query<Queue[]>(QUEUE);
  if (!queue) throw new Error('The queue could not be counted');
  return queue;
}
