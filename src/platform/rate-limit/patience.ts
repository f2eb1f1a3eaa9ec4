/** How often it is looked how long the oldest has been waiting. */
const TICK_MS = 50;

/** A link of the list of those who wait, oldest first. */
interface Waiting {
  readonly since: number;
  giveUp(): void;
  previous: Waiting | undefined;
  next: Waiting | undefined;
}

/**
 * Waits for answers up to a deadline that is counted in turns of the event loop and not by the clock: after a pause of our
 * own process (garbage, too little CPU) the answers that came meanwhile are read before anybody is given up. One timer for
 * all, and when the oldest is given up, so are the others: they wait for the same.
 *
 * They are a linked list and no Set: V8 keeps each table that a Set has outgrown, with what was in it, reachable from the
 * one before, so that one such table in the old generation keeps every request after it until the next full collection.
 */
export class Patience {
  private oldest: Waiting | undefined;
  private youngest: Waiting | undefined;
  private timer: NodeJS.Timeout | undefined;
  private ticks = 0;

  /** @param deadlineMs at least, of a process that is not held up */
  constructor(private readonly deadlineMs: number) {}

  /** @throws Error once the deadline is over, or what `answer` rejects with */
  wait<T>(answer: Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const giveUp = () => reject(new Error(`no answer within ${this.deadlineMs} ms`));
      const waiting: Waiting = { since: this.ticks, giveUp, previous: this.youngest, next: undefined };
      if (this.youngest === undefined) this.oldest = waiting;
      else this.youngest.next = waiting;
      this.youngest = waiting;
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

  /** Takes it out of the list, once. A link that is out points at no other: old garbage would keep young garbage. */
  private end(waiting: Waiting): void {
    const { previous, next } = waiting;
    if (previous === undefined && this.oldest !== waiting) return;
    if (previous === undefined) this.oldest = next;
    else previous.next = next;
    if (next === undefined) this.youngest = previous;
    else next.previous = previous;
    waiting.previous = waiting.next = undefined;
    if (this.oldest !== undefined || this.timer === undefined) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private tick(): void {
    this.ticks++;
    if (this.oldest === undefined || (this.ticks - this.oldest.since) * TICK_MS <= this.deadlineMs) return;
    for (let waiting: Waiting | undefined = this.oldest; waiting !== undefined; waiting = this.oldest) {
      waiting.giveUp();
      this.end(waiting);
    }
  }
}
