import { Injectable } from '@nestjs/common';
import { Metrics } from '../../platform/metrics/index.js';
import { showQueue } from '../../platform/work-queue/index.js';
import { ClaimsRepository } from './processing/claims.repository.js';

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

  constructor(metrics: Metrics, claims: ClaimsRepository) {
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
    showQueue(metrics, 'holdfast_webhook', claims);
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
