import { setTimeout as delay } from 'node:timers/promises';

/** A lease survives two missed heartbeats. */
export const HEARTBEATS_PER_LEASE = 3;
/** How long an aborted attempt may take to end before the process ends all the same. */
const HAND_BACK_MS = 3000;

interface Held<T> {
  readonly claim: T;
  readonly controller: AbortController;
}

/** The claims a process has, each with what tells its attempt to stop. */
export class InFlight<T extends { readonly claimId: string }> {
  private readonly held = new Map<string, Held<T>>();
  private ended: Error | undefined;
  private markEmpty = (): void => undefined;

  get claims(): T[] {
    return Array.from(this.held.values(), ({ claim }) => claim);
  }

  /**
   * Of claims for one attempt. Those that were held before are held anew.
   *
   * @returns aborted by `abort` of any of them and by `handBack`; the caller also aborts it when the time is up
   */
  hold(claims: readonly T[]): AbortController {
    const controller = new AbortController();
    for (const claim of claims) this.held.set(claim.claimId, { claim, controller });
    if (this.ended) controller.abort(this.ended);
    return controller;
  }

  /** Their attempt has ended, however it did, or there will be none. */
  drop(claims: readonly T[]): void {
    for (const { claimId } of claims) this.held.delete(claimId);
    if (this.held.size === 0) this.markEmpty();
  }

  /** Does nothing when the attempt has ended meanwhile. */
  abort({ claimId }: T, reason: Error): void {
    this.held.get(claimId)?.controller.abort(reason);
  }

  /** Aborts every attempt with `reason`, those to come too, and waits until all have ended, three seconds at most. */
  async handBack(reason: Error): Promise<void> {
    this.ended = reason;
    if (this.held.size === 0) return;
    const empty = new Promise<void>((resolve) => (this.markEmpty = resolve));
    for (const { controller } of this.held.values()) controller.abort(reason);
    await Promise.race([empty, delay(HAND_BACK_MS, undefined, { ref: false })]);
  }
}
