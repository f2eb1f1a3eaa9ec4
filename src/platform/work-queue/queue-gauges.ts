import type { Metrics } from '../metrics/index.js';
import type { Claimed, QueueLength, WorkQueue } from './work-queue.js';

/** Shows how long a queue is and how long what is due has waited, as `<prefix>_queue_depth` and `<prefix>_oldest_due_seconds`. */
export function showQueue(metrics: Metrics, prefix: string, queue: Pick<WorkQueue<Claimed>, 'work' | 'length'>): void {
  const { noun, state } = queue.work;
  const things = `${noun.charAt(0).toUpperCase()}${noun.slice(1)}s`;
  const runningLabel = state.running.toLowerCase();
  let reading: Promise<QueueLength> | undefined;
  // One query for both gauges: they are collected at the same time, and each sees what is so now.
  const read = () => (reading ??= queue.length().finally(() => (reading = undefined)));
  metrics.gauge(`${prefix}_queue_depth`, `${things} not finished yet`, ['state'], async (gauge) => {
    const { waiting, running } = await read();
    gauge.set({ state: 'waiting' }, waiting);
    gauge.set({ state: runningLabel }, running);
  });
  metrics.gauge(`${prefix}_oldest_due_seconds`, `How long the oldest due ${noun} has waited`, [], async (gauge) => {
    // Unknown while the database is away, rather than what it was before.
    gauge.set(NaN);
    gauge.set((await read()).age);
  });
}
