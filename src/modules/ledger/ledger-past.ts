import { Inject, Injectable } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import { ValidationError } from '../../kernel/app-error.js';
import { type Coalescer, CoalescerFactory } from '../../platform/coalescer/index.js';
import { LedgerPastRepository } from './ledger-past.repository.js';

const MAX_WAITING = 20_000;

/**
 * Tells when a moment of the ledger is closed: whatever is read of it from then on stays as it is.
 *
 * A posting, a hold placed and a hold resolved carry the time at which they were decided, in whole milliseconds, rounded
 * down and by the database's clock, and they are decided under the ledger's lock. So nothing comes into a millisecond any
 * more once it is over and whoever held the lock before its end has ended. Who takes the lock after that is later by
 * the clock; who has it and began after that millisecond is so too, and is not waited for. (A hold that expires does so at
 * a time that was known from the beginning.) The one assumption is that the clock of the database is not set back.
 */
@Injectable()
export class LedgerPast {
  /** All who wait at a moment wait on one connection; who comes later, for the next turn of the lock. */
  private readonly waiting: Coalescer<null, null>;

  constructor(
    coalescers: CoalescerFactory,
    @Inject(LedgerPastRepository) private readonly repository: Pick<LedgerPastRepository, 'look' | 'awaitHolder'>,
  ) {
    this.waiting = coalescers.create({
      name: 'ledger_past',
      maxItems: MAX_WAITING,
      maxQueued: MAX_WAITING,
      flush: async (readers) => {
        await repository.awaitHolder();
        return readers.map(() => ({ result: null }));
      },
    });
  }

  /**
   * Comes back once the millisecond is closed: at once when it was over before whoever posts now began, else when they
   * have ended. Never call it from within a transaction that has posted: it would wait for itself.
   *
   * @param at whole milliseconds
   * @throws ValidationError (400) when `at` is still to come, by the database's clock
   * @throws UnavailableError (503) when somebody holds the ledger for too long
   */
  async close(at: Date): Promise<void> {
    for (;;) {
      const { now, isHeld } = await this.repository.look(at);
      const ahead = at.getTime() - now.getTime();
      if (ahead > 0) throw toCome(now);
      if (ahead < 0) {
        if (isHeld) await this.waiting.submit(null);
        return;
      }
      // It is this very millisecond.
      await delay(1);
    }
  }
}

function toCome(now: Date): ValidationError {
  return ValidationError.of([
    { path: 'at', message: `at must be a time of the past; by the database's clock it is ${now.toISOString()}` },
  ]);
}
