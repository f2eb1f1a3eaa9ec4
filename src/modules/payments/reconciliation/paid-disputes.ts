import { Injectable, Logger } from '@nestjs/common';
import { DisputesRepository } from '../disputes/disputes.repository.js';
import { isPaymentId, type PaymentId } from '../payment.js';
import { RefundsRepository } from '../refunds/refunds.repository.js';
import { type MovementToCompare, MovementsRepository } from './movements.repository.js';
import { type PaidDispute, ProviderQuestions } from './provider-questions.js';
import type { ReconciliationAttempt } from './reconciliation-attempt.js';

/**
 * Disputes whose money goes by a refund, as Paystack pays them: one loss that its lists show twice, and that the books have once.
 * Whichever of the two is booked answers for the other.
 */
@Injectable()
export class PaidDisputes {
  private readonly logger = new Logger(PaidDisputes.name);

  constructor(
    private readonly movements: MovementsRepository,
    private readonly questions: ProviderQuestions,
    private readonly disputes: DisputesRepository,
    private readonly refunds: RefundsRepository,
  ) {}

  /** Of what still differs of a payment. What the provider does not say stays open. */
  async answer(attempt: ReconciliationAttempt, payment: string): Promise<void> {
    const left = (await this.movements.differing(attempt.ref, payment)).filter(({ kind }) => RETURNS.includes(kind));
    if (left.length === 0 || !isPaymentId(payment)) return;
    const pairs = await this.pairsOf(payment);
    if (pairs.length === 0) return;
    const isBooked = await this.bookedOf(payment, pairs);
    const answered = left.filter(isBooked).map(({ id }) => id);
    if (answered.length === 0) return;
    await attempt.save((tx) => this.movements.setElsewhere(tx, attempt.run.id, answered, NOTE));
  }

  private async pairsOf(payment: PaymentId): Promise<PaidDispute[]> {
    try {
      return await this.questions.paidDisputes(payment);
    } catch (error) {
      this.logger.warn({ msg: 'It is not known by what a dispute was paid', payment, err: error });
      return [];
    }
  }

  /** @returns whether the other one of its pair has moved the money in the books */
  private async bookedOf(
    payment: PaymentId,
    pairs: readonly PaidDispute[],
  ): Promise<(movement: MovementToCompare) => boolean> {
    const disputes = await this.disputes.of(payment);
    const moved = new Set(
      (await this.disputes.movementsOf(disputes.map(({ id }) => id))).map(({ dispute }) => dispute),
    );
    const booked = new Set(disputes.filter(({ id }) => moved.has(id)).map((each) => each.providerReference));
    const refunds = (await this.refunds.of(payment)).filter(({ booking }) => booking === 'paid');
    const paid = new Set(refunds.map((each) => each.providerReference));
    return ({ kind, object }) =>
      kind === 'refund'
        ? pairs.some(({ dispute, refund }) => refund === object && booked.has(dispute))
        : pairs.some(({ dispute, refund }) => dispute === object && paid.has(refund));
  }
}

const RETURNS: readonly MovementToCompare['kind'][] = ['refund', 'dispute'];

const NOTE = 'One loss with a movement that is booked';
