/** Counts what became of many deliveries. */
export class Tally {
  private readonly outcomes = new Map<string, number>([
    ['accepted', 0],
    ['already_processed', 0],
  ]);
  private readonly failures = new Map<string, number>();
  private readonly times: number[] = [];

  get sent(): number {
    return sum(this.outcomes) + this.errors;
  }

  get errors(): number {
    return sum(this.failures);
  }

  /** @param ms how long the answer took; none for a delivery without one */
  add(outcome: string, ok: boolean, ms?: number): void {
    const counts = ok ? this.outcomes : this.failures;
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    if (ms !== undefined) this.times.push(ms);
  }

  /** One line, and one more for each kind of error. @param elapsedMs of the whole run */
  summary(elapsedMs: number): string {
    const rate = Math.round((this.sent / elapsedMs) * 1000);
    const counts = [...this.outcomes, ['errors', this.errors] as const].map(([name, count]) => `${count} ${name}`);
    const head = `${this.sent} sent in ${(elapsedMs / 1000).toFixed(2)} s (${rate} per second): ${counts.join(', ')}`;
    return [head + this.latency(), ...[...this.failures].map(([name, count]) => `  ${count} × ${name}`)].join('\n');
  }

  private latency(): string {
    if (this.times.length === 0) return '';
    const sorted = Float64Array.from(this.times).sort();
    const within = (share: number) => (sorted[Math.ceil(share * sorted.length) - 1] ?? 0).toFixed(1);
    return `; half answered within ${within(0.5)} ms, 99 % within ${within(0.99)} ms`;
  }
}

function sum(counts: ReadonlyMap<string, number>): number {
  let total = 0;
  for (const count of counts.values()) total += count;
  return total;
}
