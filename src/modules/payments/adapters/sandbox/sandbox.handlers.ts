import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { WebhookHandler, type WebhookEventMessage } from '../../../webhooks/index.js';
import { ChargeReports } from '../../charge-reports.js';
import { isPaymentId } from '../../payment.js';
import { RefundReports } from '../../refund-reports.js';
import { type ChargeObject, chargeReportOf, type RefundObject, refundReportOf } from './sandbox-objects.js';

/** The sandbox's events: what they say is applied in the transaction that marks them as done. */
@Injectable()
export class SandboxHandlers {
  constructor(
    private readonly charges: ChargeReports,
    private readonly refunds: RefundReports,
  ) {}

  @WebhookHandler('sandbox', 'charge.*', { posts: true })
  async chargeChanged(tx: EntityManager, event: WebhookEventMessage): Promise<void> {
    const charge = event.payload['data'] as unknown as ChargeObject;
    if (isPaymentId(charge.payment))
      await this.charges.apply(tx, charge.payment, chargeReportOf(charge), causeOf(event));
  }

  @WebhookHandler('sandbox', 'refund.*', { posts: true })
  async refundChanged(tx: EntityManager, event: WebhookEventMessage): Promise<void> {
    const refund = event.payload['data'] as unknown as RefundObject;
    await this.refunds.apply(tx, refund.refund, refundReportOf(refund), causeOf(event));
  }
}

function causeOf({ id, source }: WebhookEventMessage) {
  return { source: 'webhook', actor: `webhook:${source}`, event: id } as const;
}
