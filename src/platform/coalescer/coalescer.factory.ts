import { Injectable, Module, type OnApplicationShutdown } from '@nestjs/common';
import type { Gauge } from 'prom-client';
import { Metrics } from '../metrics/index.js';
import { Coalescer, type CoalescerOptions } from './coalescer.js';

/** Makes coalescers that are measured and that drain before the process ends. */
@Injectable()
export class CoalescerFactory implements OnApplicationShutdown {
  private readonly made: { close(): Promise<void> }[] = [];
  private readonly queueLengths = new Map<string, () => number>();
  private readonly batchSizes;

  constructor(metrics: Metrics) {
    this.batchSizes = metrics.histogram('holdfast_coalescer_batch_size', 'Items committed together', {
      labelNames: ['coalescer'],
      buckets: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
    });
    const setLengths = (gauge: Gauge<'coalescer'>) => {
      for (const [coalescer, length] of this.queueLengths) gauge.set({ coalescer }, length());
    };
    metrics.gauge('holdfast_coalescer_queue_length', 'Items waiting for a batch', ['coalescer'], setLengths, 'sum');
  }

  create<Item, Result>(options: Omit<CoalescerOptions<Item, Result>, 'onBatch'>): Coalescer<Item, Result> {
    const sizes = this.batchSizes.labels(options.name);
    const coalescer = new Coalescer({ ...options, onBatch: (size) => sizes.observe(size) });
    this.made.push(coalescer);
    this.queueLengths.set(options.name, () => coalescer.queued);
    return coalescer;
  }

  /** The HTTP server is closed by now, so what is queued is all there will be. */
  async onApplicationShutdown(): Promise<void> {
    await Promise.all(this.made.map((coalescer) => coalescer.close()));
  }
}

@Module({ providers: [CoalescerFactory], exports: [CoalescerFactory] })
export class CoalescerModule {}
