/** After a failure the other side is left alone this long. */
const PAUSE_MS = 1000;

/**
 * Keeps calls away from what just failed: nobody for a second, then one as a probe, and everybody again once that has
 * succeeded. So a server that hangs costs one time-out a second and not one a request.
 */
export class Probation {
  private failing = false;
  private probing = false;
  private pausedUntil = 0;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Whether to make a call. After true, `succeeded` or `failed` has to be told. */
  admits(): boolean {
    if (!this.failing) return true;
    if (this.probing || this.now() < this.pausedUntil) return false;
    return (this.probing = true);
  }

  succeeded(): void {
    this.failing = this.probing = false;
  }

  failed(): void {
    this.failing = true;
    this.probing = false;
    this.pausedUntil = this.now() + PAUSE_MS;
  }
}
