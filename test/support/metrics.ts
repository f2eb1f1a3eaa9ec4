import type { TestServer } from './server.js';

interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** One scrape of the metrics. */
export class Scrape {
  private readonly samples: readonly Sample[];

  /** @param text in the format of Prometheus */
  constructor(text: string) {
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    this.samples = lines.map(parse);
  }

  static async of(server: TestServer): Promise<Scrape> {
    const response = await fetch(`${server.url}/metrics`);
    return new Scrape(await response.text());
  }

  /** The sum of all samples of that name that carry these labels; undefined when there is none. */
  value(name: string, labels: Record<string, string> = {}): number | undefined {
    const found = this.samples.filter(
      (sample) =>
        sample.name === name && Object.entries(labels).every(([label, text]) => sample.labels[label] === text),
    );
    return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
  }

  /** Every value that label has anywhere. */
  labelValues(label: string): Set<string> {
    return new Set(this.samples.flatMap(({ labels }) => (labels[label] === undefined ? [] : [labels[label]])));
  }
}

function parse(line: string): Sample {
  const [, name = '', labels = '', value = ''] = /^(\w+)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
  const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, label = '', text = '']) => [label, text]);
  return { name, labels: Object.fromEntries(pairs) as Record<string, string>, value: Number(value) };
}
