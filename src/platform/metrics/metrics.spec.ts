import { describe, expect, it } from '@jest/globals';
import { Metrics, renderTogether } from './metrics.js';

interface Readings {
  stored: number;
  duplicates: number;
  queued: number;
  depth: number;
  seconds: number;
}

/** What a process with these readings answers to `OWN_METRICS`; the pipe copies it. */
async function processWith({ stored, duplicates, queued, depth, seconds }: Readings): Promise<object[]> {
  const metrics = new Metrics();
  const received = metrics.counter('received_total', 'Events', ['result']);
  received.inc({ result: 'stored' }, stored);
  if (duplicates > 0) received.inc({ result: 'duplicate' }, duplicates);
  const took = metrics.histogram('took_seconds', 'Time', { buckets: [0.1, 1] });
  took.observe(seconds);
  const own = metrics.gauge('queued', 'In memory', [], (gauge) => gauge.set(queued), 'sum');
  const common = metrics.gauge('depth', 'In the database', ['state'], (gauge) => gauge.set({ state: 'due' }, depth));
  const all = [received.get(), took.get(), own.get(), common.get()];
  return structuredClone(await Promise.all(all));
}

async function linesOf(answers: readonly (readonly object[])[]): Promise<string[]> {
  return (await renderTogether(answers)).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}

const FIRST = { stored: 3, duplicates: 0, queued: 4, depth: 7, seconds: 0.05 };
const SECOND = { stored: 5, duplicates: 2, queued: 1, depth: 9, seconds: 0.5 };

describe('renderTogether', () => {
  it('adds counters and histograms up, by their labels', async () => {
    const lines = await linesOf([await processWith(FIRST), await processWith(SECOND)]);
    expect(lines).toEqual(expect.arrayContaining([
      'received_total{result="stored"} 8',
      'received_total{result="duplicate"} 2',
      'took_seconds_bucket{le="0.1"} 1',
      'took_seconds_bucket{le="1"} 2',
      'took_seconds_bucket{le="+Inf"} 2',
      'took_seconds_sum 0.55',
      'took_seconds_count 2',
    ])); // prettier-ignore
  });

  it.each([[[FIRST, SECOND]], [[SECOND, FIRST]]])(
    'adds up gauges of which each process has its own, and takes the highest of those that all read',
    async (processes) => {
      const lines = await linesOf(await Promise.all(processes.map(processWith)));
      expect(lines).toContain('queued 5');
      expect(lines).toContain('depth{state="due"} 9');
    },
  );

  it('is empty for no process', async () => {
    expect(await linesOf([])).toEqual([]);
  });
});
