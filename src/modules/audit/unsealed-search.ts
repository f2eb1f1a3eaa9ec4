import { performance } from 'node:perf_hooks';

/** Ids below the newest sealed one that every search looks at again: about ten seconds of lines at full load. */
const LOOK_BEHIND = 100_000;
/** Milliseconds until the next search over all ids. */
const SWEEP_EVERY = 60_000;

/**
 * Where a sealer starts to look for unsealed lines. Lines may turn up below those already sealed, when their transaction
 * commits late, so every id would have to be looked at every time; and while a long snapshot is open, such as a
 * backup's, PostgreSQL keeps an entry in ix_audit_log_unsealed for every line sealed since (0.6 s a search for a million).
 * So a search starts a little below the newest sealed id, and once a minute at the very first.
 */
export class UnsealedSearch {
  private newest = 0;
  private sweptAt = -Infinity;

  /** The id above which to look now. */
  floor(): number {
    return performance.now() - this.sweptAt >= SWEEP_EVERY ? 0 : Math.max(0, this.newest - LOOK_BEHIND);
  }

  /**
   * Learns what a committed search brought.
   *
   * @param complete there was nothing more to find above `floor`
   */
  found(floor: number, ids: readonly string[], complete: boolean): void {
    this.newest = Math.max(this.newest, Number(ids.at(-1) ?? 0));
    if (floor === 0 && complete) this.sweptAt = performance.now();
  }
}
