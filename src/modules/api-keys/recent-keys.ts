/** What was read about a key. */
export interface Reading<Key> {
  key: Key;
  /** Milliseconds the reading holds, counted from before the database was asked. */
  holdsForMs: number;
}

interface Remembered<Key> {
  key: Key;
  readAt: number;
  holdsUntil: number;
}

interface Lookup<Key> {
  startedAt: number;
  result: Promise<Key | null>;
}

/** The promise: a revocation takes effect on every replica within a second. */
const MAX_AGE_MS = 1000;
/** From here on the next request starts a new reading, so that a busy key never makes a request wait for one. */
const RENEW_AFTER_MS = 500;
const MAX_KEYS = 10_000;

/**
 * Remembers, for at most a second, keys that were good, so that a busy caller costs two look-ups a second and not one
 * per request. Ages count from before the database was asked: a request that arrives a second after a revocation was
 * committed always sees it. Refusals are not remembered, so nobody can fill the memory with made-up keys.
 */
export class RecentKeys<Key> {
  private readonly remembered = new Map<string, Remembered<Key>>();
  private readonly lookups = new Map<string, Lookup<Key>>();

  /**
   * @param read asks the database about a key that was good; null refuses
   * @param readUnknown the same about any other, which anybody can make up
   * @param now milliseconds of a clock that only goes forward
   */
  constructor(
    private readonly read: (hash: string) => Promise<Reading<Key> | null>,
    private readonly readUnknown: (hash: string) => Promise<Reading<Key> | null>,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** @throws what `read` throws, unless something remembered still holds */
  async get(hash: string): Promise<Key | null> {
    const now = this.now();
    const known = this.remembered.get(hash);
    if (!known || now >= known.holdsUntil) return this.lookUp(hash, now);
    // A failure here shows in the request that finds nothing remembered.
    if (now - known.readAt >= RENEW_AFTER_MS) this.lookUp(hash, now).catch(() => undefined);
    return known.key;
  }

  /** The key was revoked here: the next request asks the database. */
  forget(hash: string): void {
    this.remembered.delete(hash);
    this.lookups.delete(hash);
  }

  /** Requests share a look-up as long as it is young; an older one may have read what is no longer true. */
  private lookUp(hash: string, now: number): Promise<Key | null> {
    const running = this.lookups.get(hash);
    if (running && now - running.startedAt < RENEW_AFTER_MS) return running.result;
    const lookup: Lookup<Key> = {
      startedAt: now,
      result: this.readAnew(hash).then(
        (reading) => {
          if (this.end(hash, lookup)) this.remember(hash, now, reading);
          return reading?.key ?? null;
        },
        (error: unknown) => {
          this.end(hash, lookup);
          throw error;
        },
      ),
    };
    this.lookups.set(hash, lookup);
    return lookup.result;
  }

  /** What was good when it was read last, however long ago, need not wait with what may be made up. */
  private readAnew(hash: string): Promise<Reading<Key> | null> {
    return this.remembered.has(hash) ? this.read(hash) : this.readUnknown(hash);
  }

  /** @returns false when the look-up was overtaken by `forget` or a younger one: what it read may be outdated */
  private end(hash: string, lookup: Lookup<Key>): boolean {
    return this.lookups.get(hash) === lookup && this.lookups.delete(hash);
  }

  private remember(hash: string, readAt: number, reading: Reading<Key> | null): void {
    this.remembered.delete(hash);
    if (!reading) return;
    if (this.remembered.size >= MAX_KEYS) this.dropLeastRecentlyRead();
    const holdsUntil = readAt + Math.min(MAX_AGE_MS, reading.holdsForMs);
    this.remembered.set(hash, { key: reading.key, readAt, holdsUntil });
  }

  private dropLeastRecentlyRead(): void {
    for (const hash of this.remembered.keys()) {
      this.remembered.delete(hash);
      return;
    }
  }
}
