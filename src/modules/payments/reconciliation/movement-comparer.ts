import { Injectable } from '@nestjs/common';
import { LedgerPostings, PAYMENT_CATEGORY } from '../../ledger/index.js';
import { compare, referenceOf, takenBackBy } from './comparison.js';
import { type ComparedMovement, MovementsRepository, type MovementToCompare } from './movements.repository.js';
import type { ReconciliationAttempt } from './reconciliation-attempt.js';
import { ReconciliationsRepository } from './reconciliations.repository.js';

const PAGE = 500;

/** Provider → payments → ledger: has what moved there been booked here? */
@Injectable()
export class MovementComparer {
  constructor(
    private readonly movements: MovementsRepository,
    private readonly runs: ReconciliationsRepository,
    private readonly postings: LedgerPostings,
  ) {}

  /** All that have not been compared yet. */
  async compareAll(attempt: ReconciliationAttempt): Promise<void> {
    const { run } = attempt;
    for (let after = ''; ;) {
      const page = await this.movements.next(attempt.ref, after, PAGE);
      const last = page.at(-1);
      if (last === undefined) return;
      const found = await this.compared(attempt, page);
      await attempt.save(async (tx) => {
        await this.movements.setCompared(tx, run.id, found);
        await this.runs.advance(tx, run.id, { compared: found.length });
      });
      after = last.id;
    }
  }

  /** What differed of a payment, once more: what does not any more is healed. */
  async compareAgain(attempt: ReconciliationAttempt, payment: string): Promise<void> {
    const page = await this.movements.differing(attempt.ref, payment);
    const found = (await this.compared(attempt, page)).map((each) =>
      each.outcome === 'matched' || each.outcome === 'nothing' ? { ...each, outcome: 'healed' as const } : each,
    );
    await attempt.save(async (tx) => {
      await this.movements.setCompared(tx, attempt.run.id, found);
      await this.runs.advance(tx, attempt.run.id, { asked: 1 });
    });
  }

  private async compared(
    attempt: ReconciliationAttempt,
    page: readonly MovementToCompare[],
  ): Promise<ComparedMovement[]> {
    const references = page.flatMap((movement) => [referenceOf(movement, movement), takenBackBy(movement, movement)]);
    const known = references.filter((reference) => reference !== null);
    const posted = await this.postings.byReference(attempt.clearing, known, PAYMENT_CATEGORY);
    return page.map((movement) => {
      const { id, payment, refund } = movement;
      const reference = referenceOf(movement, movement);
      const takenBack = takenBackBy(movement, movement);
      const booked = reference === null ? undefined : posted.get(reference)?.amount;
      const hasTakenBack = takenBack !== null && posted.has(takenBack);
      const outcome = compare(movement, movement, { own: booked, hasTakenBack });
      return { id, outcome, payment, refund, reference, booked };
    });
  }
}
