import { Logger, type OnApplicationShutdown } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import { isDatabaseUnavailable } from '../database/index.js';
import { ClaimLostError, HandedBackError } from './work.errors.js';
import { type Claimed, HEARTBEATS_PER_LEASE, type WorkQueue } from './work-queue.js';
import type { WorkTable } from './work-table.js';

/** How long an aborted attempt may take to end before the process ends all the same. */
const HAND_BACK_MS = 3000;
/** How often somebody who could not tell the database asks again. */
const ASK_AGAIN_MS = 250;

type Claim = Pick<Claimed, 'id' | 'claimId'>;

interface Held<T> {
  readonly claim: T;
  readonly controller: AbortController;
}

/**
 * The claims a process is working on, each with what tells its attempt to stop: keeps their leases alive, hands them back
 * when the process ends. A provider that extends it says with `@Every` where and how often it beats.
 */
export class InFlight<T extends Claim> implements OnApplicationShutdown {
  private readonly logger = new Logger(this.constructor.name);
  private readonly held = new Map<string, Held<T>>();
  private ended: Error | undefined;
  private markEmpty = (): void => undefined;

  constructor(
    private readonly queue: Pick<WorkQueue<T & Claimed>, 'leaseMs' | 'extend'> & { work: Pick<WorkTable, 'noun'> },
  ) {}

  get claims(): T[] {
    return Array.from(this.held.values(), ({ claim }) => claim);
  }

  /** Milliseconds. */
  get heartbeat(): number {
    return this.queue.leaseMs / HEARTBEATS_PER_LEASE;
  }

  /**
   * Of claims for one attempt. Those that were held before are held anew.
   *
   * @returns aborted when one of them is lost and when the process ends; the caller also aborts it when the time is up
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

  /** Prolongs the leases, and aborts what is not ours any more. */
  async beat(): Promise<void> {
    const asked = this.claims;
    if (asked.length === 0) return;
    const ours = await this.queue.extend(asked);
    for (const { claimId } of asked) {
      if (!ours.has(claimId)) this.held.get(claimId)?.controller.abort(new ClaimLostError(this.queue.work.noun));
    }
  }

  /** Aborts every attempt, those to come too, and waits until all have ended, three seconds at most. */
  async onApplicationShutdown(): Promise<void> {
    this.ended = new HandedBackError(this.queue.work.noun);
    if (this.held.size === 0) return;
    this.logger.warn(`Handing back ${this.held.size} unfinished ${this.queue.work.noun}s`);
    const empty = new Promise<void>((resolve) => (this.markEmpty = resolve));
    for (const { controller } of this.held.values()) controller.abort(this.ended);
    await Promise.race([empty, delay(HAND_BACK_MS, undefined, { ref: false })]);
  }

  /**
   * For what has been done and would be done again if the database were not told.
   *
   * @throws what the database answers, and when it is away and this process ends
   */
  async untilTold<Answer>(tell: () => Promise<Answer>): Promise<Answer> {
    for (;;) {
      try {
        return await tell();
      } catch (error) {
        // Nobody has time for another try.
        if (!isDatabaseUnavailable(error) || this.ended) throw error;
        await delay(ASK_AGAIN_MS);
      }
    }
  }
}
