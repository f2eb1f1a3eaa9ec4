import { UnavailableError } from '../../kernel/app-error.js';

/** What became of one item: its result, or the error that is its own. */
export type Outcome<Result> = { result: Result } | { error: unknown };

export interface CoalescerOptions<Item, Result> {
  /** Names the metrics and the error, for example `webhook_ingest`. */
  name: string;
  /** Items per batch at most. */
  maxItems: number;
  /** Items waiting at most; one more is refused with 503 instead of piling up in memory. */
  maxQueued: number;
  /** Size of an item, in a unit of the caller's; with it the two bounds below hold beside the counts. */
  weigh?(item: Item): number;
  /** A batch ends before the item that would exceed it; a single item may. */
  maxBatchWeight?: number;
  maxQueuedWeight?: number;
  /**
   * Batches under way at once. 1 keeps strict order; 2 prepares and sends the next batch while the previous one waits
   * for the disk.
   */
  concurrency?: number;
  /**
   * Items that make a batch worth sending before the turn of the event loop is over, if one more may be under way: under
   * load a turn is long, and the database would be idle for as long. Default: `maxItems`.
   */
  eagerItems?: number;
  /**
   * Commits one batch, all or nothing, and answers one outcome per item in the same order. It throws only when the
   * whole batch had no effect.
   */
  flush(items: readonly Item[]): Promise<readonly Outcome<Result>[]>;
  /**
   * Whether a thrown error may be the fault of a single item. Then the batch is halved until the culprit stands
   * alone, so that one poisonous item cannot fail its neighbours. Default: never.
   */
  splitOn?(error: unknown): boolean;
  /** Called with the size of each batch that is flushed. */
  onBatch?(size: number): void;
}

interface Waiting<Item, Result> {
  item: Item;
  weight: number;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/** The queue of a coalescer is full: the process takes in more than the database commits. */
export class CoalescerFullError extends UnavailableError {
  override readonly code = 'OVERLOADED';
  override readonly title = 'Too much work is waiting';

  constructor(name: string) {
    super(`The ${name} queue is full; try again in a moment.`);
  }
}

/**
 * Group commit: callers hand in an item and get a promise; items that arrive in the same moment, or while the previous
 * batch commits, are flushed together. Nothing waits for a timer, so a lone item is flushed at once.
 */
export class Coalescer<Item, Result> {
  private readonly queue: Waiting<Item, Result>[] = [];
  private queuedWeight = 0;
  private inFlight = 0;
  private scheduled = false;
  private closed = false;
  private idle: (() => void)[] = [];
  private readonly eagerItems: number;

  constructor(private readonly options: CoalescerOptions<Item, Result>) {
    this.eagerItems = options.eagerItems ?? options.maxItems;
  }

  /** Items waiting for a batch, not counting those under way. */
  get queued(): number {
    return this.queue.length;
  }

  /**
   * Hands in one item.
   *
   * @returns its result, once its batch has committed
   * @throws its own error, the error of its batch, CoalescerFullError, or UnavailableError after `close`
   */
  submit(item: Item): Promise<Result> {
    const { name, maxQueued, maxQueuedWeight = Infinity } = this.options;
    if (this.closed) return Promise.reject(new UnavailableError('The server is shutting down.'));
    const weight = this.options.weigh?.(item) ?? 0;
    if (this.queue.length >= maxQueued || this.queuedWeight + weight > maxQueuedWeight) {
      return Promise.reject(new CoalescerFullError(name));
    }
    this.queuedWeight += weight;
    return new Promise((resolve, reject) => {
      this.queue.push({ item, weight, resolve, reject });
      this.flushOrSchedule();
    });
  }

  /** Refuses new items, flushes what is waiting and resolves when the last batch is done. */
  async close(): Promise<void> {
    this.closed = true;
    if (this.queue.length === 0 && this.inFlight === 0) return;
    await new Promise<void>((resolve) => this.idle.push(resolve));
  }

  /** Up to one turn of the event loop lets what has already arrived on other sockets join the batch. */
  private flushOrSchedule(): void {
    if (!this.mayFlush()) return;
    if (this.queue.length >= this.eagerItems) void this.flushNext();
    else if (!this.scheduled) {
      this.scheduled = true;
      setImmediate(() => {
        this.scheduled = false;
        if (this.mayFlush()) void this.flushNext();
      });
    }
  }

  private mayFlush(): boolean {
    return this.queue.length > 0 && this.inFlight < (this.options.concurrency ?? 1);
  }

  private async flushNext(): Promise<void> {
    const batch = this.takeBatch();
    this.inFlight += 1;
    this.flushOrSchedule();
    this.options.onBatch?.(batch.length);
    await this.settle(batch);
    this.inFlight -= 1;
    this.flushOrSchedule();
    if (this.queue.length === 0 && this.inFlight === 0) this.idle.splice(0).forEach((resolve) => resolve());
  }

  private takeBatch(): Waiting<Item, Result>[] {
    const { maxItems, maxBatchWeight = Infinity } = this.options;
    let weight = 0;
    let count = 0;
    for (const waiting of this.queue) {
      if (count === maxItems || (count > 0 && weight + waiting.weight > maxBatchWeight)) break;
      weight += waiting.weight;
      count += 1;
    }
    this.queuedWeight -= weight;
    return this.queue.splice(0, count);
  }

  private async settle(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    let outcomes: readonly Outcome<Result>[];
    try {
      outcomes = await this.options.flush(batch.map(({ item }) => item));
    } catch (error) {
      if (batch.length > 1 && this.options.splitOn?.(error)) {
        const middle = batch.length >> 1;
        await this.settle(batch.slice(0, middle));
        await this.settle(batch.slice(middle));
      } else {
        batch.forEach(({ reject }) => reject(error));
      }
      return;
    }
    batch.forEach(({ resolve, reject }, index) => {
      const outcome = outcomes[index];
      if (outcome === undefined) reject(new Error(`${this.options.name}: the flush answered no outcome for an item`));
      else if ('error' in outcome) reject(outcome.error);
      else resolve(outcome.result);
    });
  }
}
