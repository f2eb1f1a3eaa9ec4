import { performance } from 'node:perf_hooks';

/** Ids below the newest sealed one that every search looks at again: about ten seconds of lines at full load. */
const LOOK_BEHIND = 100_000;
/** Milliseconds until the next search over all ids. */
const SWEEP_EVERY = 60_000;

/**
 * Where a sealer starts to look for unsealed lines: a little below the newest sealed id, and once a minute at the very
 * first, because a transaction that commits late shows lines with small ids. It saves 0.6 s a search per million lines
 * sealed during a backup: while its snapshot is open, audit_log_unsealed_idx keeps their entries.
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
