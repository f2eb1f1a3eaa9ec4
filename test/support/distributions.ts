/**
 * The two-sample Kolmogorov–Smirnov distance: how far apart the two distribution functions are at most, from 0 to 1.
 */
export function distance(a: readonly number[], b: readonly number[]): number {
  const values = [...a, ...b].toSorted((x, y) => x - y);
  const share = (sample: readonly number[], upTo: number) => sample.filter((x) => x <= upTo).length / sample.length;
  return Math.max(...values.map((value) => Math.abs(share(a, value) - share(b, value))));
}

/** The distance that two samples of one distribution pass once in a thousand times (Smirnov's limit, α = 0.001). */
export function limitOfChance(a: readonly number[], b: readonly number[]): number {
  return Math.sqrt(-Math.log(0.001 / 2) / 2) * Math.sqrt((a.length + b.length) / (a.length * b.length));
}

export function median(sample: readonly number[]): number {
  return sample.toSorted((x, y) => x - y)[Math.floor(sample.length / 2)] ?? Number.NaN;
}
