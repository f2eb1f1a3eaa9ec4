import { Injectable, Logger } from '@nestjs/common';
import type { Payment } from '../payment.entity.js';
import { isPaymentId } from '../payment.js';
import { PaymentsRepository } from '../payments.repository.js';
import { PaymentsService } from '../payments.service.js';
import { ProviderCalls } from '../providers/provider-calls.js';
import { ProviderReturns } from '../providers/provider-returns.js';
import { MovementComparer } from './movement-comparer.js';
import { MovementsRepository } from './movements.repository.js';
import { PaidDisputes } from './paid-disputes.js';
import type { ReconciliationAttempt } from './reconciliation-attempt.js';

const PAGE = 200;
/** Payments the provider is asked about at the same time. */
const AT_ONCE = 4;

const CAUSE = { source: 'reconciler', actor: 'system:reconciliation' } as const;

/**
 * Makes up for webhooks that never came: the provider is asked about each payment of which something differs, and what it says goes
 * the way of all news. So a late webhook beside it, and another run, change nothing.
 */
@Injectable()
export class MovementHealer {
  private readonly logger = new Logger(MovementHealer.name);

  constructor(
    private readonly movements: MovementsRepository,
    private readonly comparer: MovementComparer,
    private readonly payments: PaymentsRepository,
    private readonly service: PaymentsService,
    private readonly calls: ProviderCalls,
    private readonly returns: ProviderReturns,
    private readonly paidDisputes: PaidDisputes,
  ) {}

  async healAll(attempt: ReconciliationAttempt): Promise<void> {
    for (let after: string | undefined; ;) {
      const page = await this.movements.paymentsToHeal(attempt.run.id, after, PAGE);
      if (page.length === 0) return;
      for (let at = 0; at < page.length; at += AT_ONCE) {
        attempt.signal.throwIfAborted();
        await Promise.all(page.slice(at, at + AT_ONCE).map((payment) => this.heal(attempt, payment)));
      }
      after = page.at(-1);
    }
  }

  /** Asks the provider how the payment stands, and what went back of it. What cannot be found out stays as it is. */
  async refresh(id: string): Promise<void> {
    try {
      const payment = isPaymentId(id) ? await this.payments.find(id) : null;
      if (payment !== null) await this.ask(payment);
    } catch (error) {
      this.logger.warn({ msg: 'A payment that differs could not be healed', payment: id, err: error });
    }
  }

  private async heal(attempt: ReconciliationAttempt, payment: string): Promise<void> {
    await this.refresh(payment);
    await this.comparer.compareAgain(attempt, payment);
    await this.paidDisputes.answer(attempt, payment);
  }

  private async ask(payment: Payment): Promise<void> {
    await this.service.refresh(payment, CAUSE);
    // Nobody else asks about one that was given up here: its customer may have paid it all the same.
    if (payment.status === 'canceled') await this.calls.refresh(payment, CAUSE);
    // No webhook may have told of refunds in the dashboard and of disputes. What goes back has come first, maybe a moment ago.
    await this.returns.refresh(payment.id, CAUSE);
  }
}
