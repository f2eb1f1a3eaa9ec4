import { Injectable, Logger } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { UnavailableError } from '../../kernel/app-error.js';
import { SUPERVISOR, type Topic } from '../processes/index.js';

/** Seconds; from a fast cache hit to the longest request we allow. */
const DEFAULT_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25];

/** What a process asks its supervisor for: the metrics of all processes, as text. */
export const ALL_METRICS: Topic<undefined, string> = { name: 'all metrics' };

/** What the supervisor asks each process for. */
export const OWN_METRICS: Topic<undefined, readonly object[]> = { name: 'own metrics' };

/** Longer than the supervisor waits for a process that hangs. */
const ANSWER_TIMEOUT_MS = 5000;

/** The text exposition format of what several processes answered to `OWN_METRICS`. */
export function renderTogether(ofProcesses: readonly (readonly object[])[]): Promise<string> {
  return AggregatorRegistry.aggregate([...ofProcesses]).metrics();
}

/**
 * The process's Prometheus registry. A metric is made where it is used; asking twice for one name gives the same
 * metric, so that two instances of a class share it.
 */
@Injectable()
export class Metrics {
  private readonly logger = new Logger(Metrics.name);
  private readonly registry = new Registry();

  constructor() {
    collectDefaultMetrics({ register: this.registry });
    SUPERVISOR?.answer(OWN_METRICS, () => this.registry.getMetricsAsJSON());
  }

  counter<Label extends string>(name: string, help: string, labelNames: readonly Label[] = []): Counter<Label> {
    return (
      (this.registry.getSingleMetric(name) as Counter<Label> | undefined) ??
      new Counter({ name, help, labelNames, registers: [this.registry] })
    );
  }

  /**
   * @param collect called at each scrape, to set values that are read rather than counted
   * @param ofAll what several processes (`PROCESSES`) show together: the highest where each reads the same, the sum where
   *   each has its own
   */
  gauge<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[] = [],
    collect?: (gauge: Gauge<Label>) => void | Promise<void>,
    ofAll: 'max' | 'sum' = 'max',
  ): Gauge<Label> {
    const existing = this.registry.getSingleMetric(name) as Gauge<Label> | undefined;
    if (existing) return existing;
    const gauge: Gauge<Label> = new Gauge({
      name,
      help,
      labelNames,
      aggregator: ofAll,
      registers: [this.registry],
      ...(collect && { collect: () => this.collectSafely(gauge, collect) }),
    });
    return gauge;
  }

  histogram<Label extends string>(
    name: string,
    help: string,
    options: { labelNames?: readonly Label[]; buckets?: number[] } = {},
  ): Histogram<Label> {
    return (
      (this.registry.getSingleMetric(name) as Histogram<Label> | undefined) ??
      new Histogram({
        name,
        help,
        labelNames: options.labelNames ?? [],
        buckets: options.buckets ?? DEFAULT_BUCKETS,
        registers: [this.registry],
      })
    );
  }

  /**
   * The text exposition format, version 0.0.4; of all processes where there are several.
   *
   * @throws UnavailableError (503) when their supervisor does not answer
   */
  async render(): Promise<string> {
    if (SUPERVISOR === null) return this.registry.metrics();
    const tooLate = sleep(ANSWER_TIMEOUT_MS, null, { ref: false });
    const together = await Promise.race([SUPERVISOR.ask(ALL_METRICS, undefined), tooLate]);
    if (together === null) throw new UnavailableError('The supervisor of this process does not answer.');
    return together;
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  /** One value that cannot be read (the database is away) must not cost the whole scrape. */
  private async collectSafely<Label extends string>(
    gauge: Gauge<Label>,
    collect: (gauge: Gauge<Label>) => void | Promise<void>,
  ): Promise<void> {
    try {
      await collect(gauge);
    } catch (error) {
      gauge.reset();
      this.logger.warn(`A gauge could not be read: ${(error as Error).message}`);
    }
  }
}
