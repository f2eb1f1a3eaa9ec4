import { Injectable, Logger } from '@nestjs/common';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

/** Seconds; from a fast cache hit to the longest request we allow. */
const DEFAULT_BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25];

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
  }

  counter<Label extends string>(name: string, help: string, labelNames: readonly Label[] = []): Counter<Label> {
    return (
      (this.registry.getSingleMetric(name) as Counter<Label> | undefined) ??
      new Counter({ name, help, labelNames, registers: [this.registry] })
    );
  }

  /** @param collect called at each scrape, to set values that are read rather than counted */
  gauge<Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[] = [],
    collect?: (gauge: Gauge<Label>) => void | Promise<void>,
  ): Gauge<Label> {
    const existing = this.registry.getSingleMetric(name) as Gauge<Label> | undefined;
    if (existing) return existing;
    const gauge: Gauge<Label> = new Gauge({
      name,
      help,
      labelNames,
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

  /** The text exposition format, version 0.0.4. */
  render(): Promise<string> {
    return this.registry.metrics();
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
