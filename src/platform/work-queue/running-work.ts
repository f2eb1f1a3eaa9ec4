/** What a process works on right now. */
export class RunningWork {
  private readonly runs = new Map<Promise<unknown>, string>();

  get size(): number {
    return this.runs.size;
  }

  /** How many of a lane. */
  of(lane: string): number {
    return [...this.runs.values()].filter((each) => each === lane).length;
  }

  /** @param then is called when it has ended and does not count any more */
  add(run: Promise<unknown>, then: () => void, lane = ''): void {
    const ended = run.finally(() => {
      this.runs.delete(ended);
      then();
    });
    this.runs.set(ended, lane);
  }

  /** What runs may finish; what does not within the bound is handed back by `InFlight`. */
  async drain(ms: number): Promise<void> {
    const bound = new Promise((resolve) => setTimeout(resolve, ms).unref());
    await Promise.race([Promise.allSettled(this.runs.keys()), bound]);
  }
}
