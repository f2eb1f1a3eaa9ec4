import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/index.js';
import { Every } from '../schedule/index.js';
import { IdempotencyStore, type Ownership } from './idempotency-store.js';

/** A lock survives two renewals that fail. */
const RENEWALS_PER_LOCK = 3;

/** The reason of the signal that a handler gets when its claim may be another's by now. */
export class ClaimLostError extends Error {
  override readonly name = 'ClaimLostError';

  constructor() {
    super('The lock on the idempotency key has ended; another attempt may have taken over');
  }
}

interface Held {
  readonly attempt: Ownership;
  readonly controller: AbortController;
  /** Until when our lock lasts for certain, on the clock of `performance.now()`. */
  lockedUntil: number;
  watch: NodeJS.Timeout;
}

/** The attempts this process is working on: renews their locks, and tells their handlers when one is lost. */
@Injectable()
export class AttemptsInFlight implements OnApplicationShutdown {
  private readonly logger = new Logger(AttemptsInFlight.name);
  private readonly held = new Map<string, Held>();
  private readonly lockMs: number;

  constructor(
    @Inject(CONFIG) config: Pick<Config, 'IDEMPOTENCY_LOCK_MS'>,
    @Inject(IdempotencyStore) private readonly store: Pick<IdempotencyStore, 'extend'>,
  ) {
    this.lockMs = config.IDEMPOTENCY_LOCK_MS;
  }

  onApplicationShutdown(): void {
    for (const { watch } of this.held.values()) clearTimeout(watch);
  }

  /**
   * @param askedAt when the claim was asked for, by `performance.now()`: its lock began later
   * @returns aborts with ClaimLostError once another attempt may hold the key
   */
  hold(attempt: Ownership, askedAt: number): AbortSignal {
    const held: Held = {
      attempt,
      controller: new AbortController(),
      lockedUntil: askedAt + this.lockMs,
      watch: setTimeout(() => this.check(held), this.lockMs).unref(),
    };
    this.held.set(attempt.owner, held);
    return held.controller.signal;
  }

  drop({ owner }: Ownership): void {
    clearTimeout(this.held.get(owner)?.watch);
    this.held.delete(owner);
  }

  @Every((attempts: AttemptsInFlight) => attempts.lockMs / RENEWALS_PER_LOCK, {
    name: 'idempotency locks',
    role: 'any',
    whileDraining: true,
  })
  async renew(): Promise<void> {
    const all = [...this.held.values()];
    if (all.length === 0) return;
    const askedAt = performance.now();
    const kept = await this.store.extend(all.map(({ attempt }) => attempt));
    for (const each of all) {
      if (kept.has(each.attempt.owner)) each.lockedUntil = askedAt + this.lockMs;
      else this.lose(each);
    }
  }

  /** Renewals may hang or fail together with the database; then our own clock says that the lock is over. */
  private check(held: Held): void {
    const leftMs = held.lockedUntil - performance.now();
    if (leftMs <= 0) this.lose(held);
    else held.watch = setTimeout(() => this.check(held), leftMs).unref();
  }

  private lose(held: Held): void {
    // It may have ended while its renewal was under way.
    if (this.held.get(held.attempt.owner) !== held) return;
    this.drop(held.attempt);
    this.logger.warn({ msg: 'The lock on an idempotency key was lost', scope: held.attempt.claim.scope });
    held.controller.abort(new ClaimLostError());
  }
}
