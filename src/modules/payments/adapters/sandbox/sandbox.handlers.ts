import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { WebhookHandler, type WebhookEventMessage } from '../../../webhooks/index.js';
import { SETTLED_TOGETHER } from '../../charges/charge-settling.js';
import { ChargeReports } from '../../charges/charge-reports.js';
import { DisputeReports } from '../../disputes/dispute-reports.js';
import { isPaymentId } from '../../payment.js';
import { PaymentsRepository } from '../../payments.repository.js';
import { RefundAdoption } from '../../refunds/refund-adoption.js';
import {
  type ChargeObject,
  chargeReportOf,
  type DisputeObject,
  disputeReportOf,
  providerRefundOf,
  type RefundObject,
} from './sandbox-objects.js';

/** The sandbox's events: what they say is applied in the transaction that marks them as done. */
@Injectable()
export class SandboxHandlers {
  constructor(
    private readonly charges: ChargeReports,
    private readonly adoption: RefundAdoption,
    private readonly disputes: DisputeReports,
    private readonly payments: PaymentsRepository,
  ) {}

  @WebhookHandler('sandbox', 'charge.*', { posts: true, batch: SETTLED_TOGETHER })
  async chargesChanged(tx: EntityManager, events: readonly WebhookEventMessage[]): Promise<void> {
    const news = events.flatMap((event) => {
      const charge = event.payload['data'] as unknown as ChargeObject;
      const { payment } = charge;
      return isPaymentId(payment) ? [{ payment, report: chargeReportOf(charge), cause: causeOf(event) }] : [];
    });
    await this.charges.applyAll(tx, news);
  }

  @WebhookHandler('sandbox', 'refund.*', { posts: true })
  async refundChanged(tx: EntityManager, event: WebhookEventMessage): Promise<void> {
    const refund = event.payload['data'] as unknown as RefundObject;
    const payment = await this.payments.ofProvider(tx, 'sandbox', refund.charge);
    if (payment === null) return;
    const isApplied = await this.adoption.apply(tx, payment.id, providerRefundOf(refund), causeOf(event));
    if (!isApplied) await this.payments.ring(tx, payment.id);
  }

  @WebhookHandler('sandbox', 'dispute.*', { posts: true })
  async disputeChanged(tx: EntityManager, event: WebhookEventMessage): Promise<void> {
    const dispute = event.payload['data'] as unknown as DisputeObject;
    if (!isPaymentId(dispute.payment)) return;
    const isApplied = await this.disputes.apply(tx, dispute.payment, disputeReportOf(dispute), causeOf(event));
    if (!isApplied) await this.payments.ring(tx, dispute.payment);
  }
}

function causeOf({ id, source }: WebhookEventMessage) {
  return { source: 'webhook', actor: `webhook:${source}`, event: id } as const;
}
