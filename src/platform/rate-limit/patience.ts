/** How often it is looked how long the oldest has been waiting. */
const TICK_MS = 50;

interface Waiting {
  readonly since: number;
  giveUp(): void;
}

/**
 * Waits for answers up to a deadline that is counted in turns of the event loop and not by the clock: after a pause of our
 * own process (garbage, too little CPU) the answers that came meanwhile are read before anybody is given up. One timer for
 * all, and when the oldest is given up, so are the others: they wait for the same.
 */
export class Patience {
  private readonly waiting = new Set<Waiting>();
  private timer: NodeJS.Timeout | undefined;
  private ticks = 0;

  /** @param deadlineMs at least, of a process that is not held up */
  constructor(private readonly deadlineMs: number) {}

  /** @throws Error once the deadline is over, or what `answer` rejects with */
  wait<T>(answer: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const waiting = {
        since: this.ticks,
        giveUp: () => reject(new Error(`no answer within ${this.deadlineMs} ms`)),
      };
      this.waiting.add(waiting);
      this.timer ??= setInterval(() => this.tick(), TICK_MS).unref();
      answer.then(
        (value) => {
          this.end(waiting);
          resolve(value);
        },
        (error: unknown) => {
          this.end(waiting);
          reject(error);
        },
      );
    });
  }

  private end(waiting: Waiting): void {
    this.waiting.delete(waiting);
    if (this.waiting.size > 0 || this.timer === undefined) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private tick(): void {
    this.ticks++;
    const [oldest] = this.waiting;
    if (oldest === undefined || (this.ticks - oldest.since) * TICK_MS <= this.deadlineMs) return;
    for (const each of this.waiting) {
      each.giveUp();
      this.end(each);
    }
  }
}
