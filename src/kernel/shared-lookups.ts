import { UnavailableError } from './app-error.js';

/** Between the beginnings of two queries: at most 20 a second, and the longest a lone caller may have to wait for. */
const EVERY_MS = 50;
/** Two hundred thousand a second; more are waiting only while the database does not answer. */
const MAX_WAITING = 10_000;

interface Asked<Found> {
  readonly result: Promise<Found | null>;
  resolve(found: Found | null): void;
  reject(error: unknown): void;
}

/**
 * Look-ups of what nobody knows yet, all that ask within a moment in one query. Whoever makes up names by the thousand costs
 * no more queries than somebody who makes up one now and then, and a good name among them waits for a moment, once.
 */
export class SharedLookups<Found> {
  private waiting = new Map<string, Asked<Found>>();
  private isRunning = false;
  private timer: NodeJS.Timeout | undefined;
  private next = -Infinity;

  /** @param readAll asks the database once, for up to ten thousand; what is not in the answer is not there */
  constructor(private readonly readAll: (names: readonly string[]) => Promise<ReadonlyMap<string, Found>>) {}

  /**
   * @returns null when it is not there
   * @throws what `readAll` throws; UnavailableError (503) when too many are waiting
   */
  async get(name: string): Promise<Found | null> {
    const asked = this.waiting.get(name) ?? this.ask(name);
    return asked.result;
  }

  private ask(name: string): Asked<Found> {
    if (this.waiting.size >= MAX_WAITING) throw new UnavailableError('Too many look-ups are waiting.');
    let settle: Omit<Asked<Found>, 'result'> = { resolve: () => undefined, reject: () => undefined };
    const result = new Promise<Found | null>((resolve, reject) => (settle = { resolve, reject }));
    const asked = { result, ...settle };
    this.waiting.set(name, asked);
    this.schedule();
    return asked;
  }

  private schedule(): void {
    if (this.isRunning || this.timer !== undefined) return;
    this.timer = setTimeout(() => void this.run(), Math.max(0, Math.ceil(this.next - performance.now())));
  }

  private async run(): Promise<void> {
    const batch = this.waiting;
    this.waiting = new Map();
    this.timer = undefined;
    this.isRunning = true;
    this.next = performance.now() + EVERY_MS;
    try {
      const found = await this.readAll([...batch.keys()]);
      for (const [name, asked] of batch) asked.resolve(found.get(name) ?? null);
    } catch (error) {
      for (const { reject } of batch.values()) reject(error);
    } finally {
      this.isRunning = false;
      if (this.waiting.size > 0) this.schedule();
    }
  }
}
