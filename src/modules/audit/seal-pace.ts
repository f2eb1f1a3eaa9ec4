/** How fast the sealer may go. */
export interface SealPace {
  /** Lines per transaction. */
  batchSize: number;
  /** How long to rest after a batch, as a multiple of the time it took. */
  restFactor: number;
}

const FULL_SPEED: SealPace = { batchSize: 5_000, restFactor: 0 };

/** A fifth of the time, and never more than a few milliseconds of the event loop at once. */
const GENTLE: SealPace = { batchSize: 500, restFactor: 4 };

/** Share of the event loop's time in use from which requests would feel the sealer. */
const BUSY = 0.5;

/** Seconds a line may wait for its seal before the sealer stops giving way: until sealed it is not yet tamper-evident. */
const MAX_LAG = 60;

/**
 * Full speed when the process is idle (34 µs a line, so 29,000 lines a second); when it is busy the sealer gives way to
 * the requests, as long as the backlog is young.
 *
 * @param utilization of the event loop since the last look, 0 to 1
 * @param lag seconds the oldest unsealed line has waited
 */
export function sealPace(utilization: number, lag: number): SealPace {
  return utilization > BUSY && lag < MAX_LAG ? GENTLE : FULL_SPEED;
}
