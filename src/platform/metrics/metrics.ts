import { Injectable, Logger } from '@nestjs/common';
import { AggregatorRegistry, Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import { PARENT } from '../processes/index.js';

/** Seconds; from a fast cache hit to the longest request we allow. */
const DEFAULT_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25];

/** What a process asks its parent for: the metrics of all; and what the parent asks each of them for: its own. */
export const METRICS = 'metrics';

/** The text exposition format of what several processes answered to `METRICS`. */
export function renderTogether(ofProcesses: readonly unknown[]): Promise<string> {
  return AggregatorRegistry.aggregate(ofProcesses.filter((metrics) => Array.isArray(metrics))).metrics();
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
    PARENT?.answer(METRICS, () => this.registry.getMetricsAsJSON());
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

  /** The text exposition format, version 0.0.4; of all processes where there are several. */
  async render(): Promise<string> {
    return PARENT === null ? this.registry.metrics() : String(await PARENT.ask(METRICS));
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
