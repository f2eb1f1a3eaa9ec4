import { Injectable, Logger } from '@nestjs/common';
import { within } from '../../kernel/within.js';
import { Every } from '../../platform/schedule/index.js';
import { type DuePayment, PaymentsRepository } from './payments.repository.js';
import { PaymentsService } from './payments.service.js';

const POLL_MS = 1000;
/** Payments that providers are asked about at the same time. */
const AT_ONCE = 10;
/** Three questions after another may take so long. */
const ROUND_MS = 60_000;

const CAUSE = { source: 'reconciler', actor: 'system:payments' } as const;

/**
 * Asks providers about what is open without waiting for their webhooks: calls whose outcome nobody knows, customers who have not
 * come back, refunds under way. Five seconds after the last change at first, then twice as long each time, up to an hour.
 */
@Injectable()
export class PaymentChecks {
  private readonly logger = new Logger(PaymentChecks.name);

  constructor(
    private readonly payments: PaymentsRepository,
    private readonly service: PaymentsService,
  ) {}

  @Every(POLL_MS, { name: 'open payments', role: 'background' })
  async checkDue(signal: AbortSignal): Promise<void> {
    const due = await this.payments.takeDue(AT_ONCE);
    // Each question has a deadline of its own; should one not keep it, the others go on all the same.
    if (!signal.aborted) await within(ROUND_MS, Promise.all(due.map((payment) => this.check(payment))));
  }

  private async check(due: DuePayment): Promise<void> {
    try {
      const payment = await this.payments.find(due.id);
      if (payment !== null && (await this.service.refresh(payment, CAUSE))) await this.payments.rest(due);
    } catch (error) {
      this.logger.warn({ msg: 'An open payment could not be checked', payment: due.id, err: error });
    }
  }
}
