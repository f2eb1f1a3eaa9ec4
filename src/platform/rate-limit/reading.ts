/** How much of one tier is used, before the request at hand. Milliseconds from now. */
export interface Reading {
  readonly used: number;
  /** Until one more request is allowed; 0 when it is now. */
  readonly waitMs: number;
  /** Until the whole limit is free if nothing more comes. */
  readonly clearMs: number;
}
