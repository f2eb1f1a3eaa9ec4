/** The middle value; of an even number of values the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** The smallest value that at least `share` of all values do not exceed (nearest rank). @param share 0 to 1 */
export function percentile(values: Float64Array, share: number): number {
  const sorted = values.slice().sort();
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/** The element whose figure is nearest to the median of all: a run to show the rest of. */
export function typical<T>(items: readonly T[], figure: (item: T) => number): T {
  const middle = median(items.map(figure));
  const [first, ...rest] = items;
  if (first === undefined) throw new Error('Nothing was measured');
  return rest.reduce((best, item) => (distance(item) < distance(best) ? item : best), first);

  function distance(item: T): number {
    return Math.abs(figure(item) - middle);
  }
}
