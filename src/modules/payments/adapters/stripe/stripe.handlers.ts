import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { WebhookHandler, type WebhookEventMessage } from '../../../webhooks/index.js';
import { ChargeReports } from '../../charge-reports.js';
import type { PaymentId } from '../../payment.js';
import { PaymentsRepository } from '../../payments.repository.js';
import { RefundReports } from '../../refund-reports.js';
import { newsIn, refundOf, type StripeNews } from './stripe-event.js';
import { chargeReportOf, refundReportOf, type StripeIntent, type StripeRefund } from './stripe-objects.js';

/**
 * Stripe's events. `payment_intent.*` and refunds that were made here are taken at their word; all others, and whatever is
 * rendered in another API version or comes without its object, are doorbells: Stripe is asked soon, outside of any transaction. What
 * is about no payment of ours changes nothing.
 *
 * So no loss is booked twice that is told of as refund, dispute and charge, and a capture in part, whose rest shows as a refund
 * inside its charge, debits nobody. Refunds made at Stripe itself, and disputes, are not booked yet: the log names them.
 */
@Injectable()
export class StripeHandlers {
  private readonly logger = new Logger(StripeHandlers.name);

  constructor(
    private readonly payments: PaymentsRepository,
    private readonly charges: ChargeReports,
    private readonly refunds: RefundReports,
  ) {}

  @WebhookHandler('stripe', 'payment_intent.*', { posts: true })
  async chargeChanged(tx: EntityManager, event: WebhookEventMessage): Promise<void> {
    const news = newsIn(event.payload);
    if (news === undefined) return;
    const { object, payment } = news;
    if (object === undefined || payment === undefined) {
      await this.ring(tx, news);
      return;
    }
    await this.charges.apply(tx, payment, chargeReportOf(object as unknown as StripeIntent), causeOf(event));
  }

  @WebhookHandler('stripe', 'refund.*', { posts: true })
  refundChanged(tx: EntityManager, event: WebhookEventMessage): Promise<void> {
    return this.refundNews(tx, event);
  }

  /** The older name of `refund.updated`, which some endpoints still get: the one that comes second changes nothing. */
  @WebhookHandler('stripe', 'charge.refund.updated', { posts: true })
  chargeRefundUpdated(tx: EntityManager, event: WebhookEventMessage): Promise<void> {
    return this.refundNews(tx, event);
  }

  @WebhookHandler('stripe', 'charge.*', { posts: true })
  async rungAt(tx: EntityManager, event: WebhookEventMessage): Promise<void> {
    const news = newsIn(event.payload);
    const payment = news && (await this.ring(tx, news));
    if (news && payment && event.eventType.startsWith('charge.dispute.')) {
      this.notBooked('A dispute at Stripe is not booked', event, payment, news);
    }
  }

  /** Thin events about the same objects. */
  @WebhookHandler('stripe', 'v1.*', { posts: true })
  async thin(tx: EntityManager, event: WebhookEventMessage): Promise<void> {
    const news = newsIn(event.payload);
    if (news !== undefined) await this.ring(tx, news);
  }

  private async refundNews(tx: EntityManager, event: WebhookEventMessage): Promise<void> {
    const news = newsIn(event.payload);
    if (news === undefined) return;
    const ours = news.object && refundOf(news.object);
    if (news.object !== undefined && ours !== undefined) {
      await this.refunds.apply(tx, ours, refundReportOf(news.object as unknown as StripeRefund), causeOf(event));
      return;
    }
    const payment = await this.ring(tx, news);
    if (payment && news.object) this.notBooked('A refund that was made at Stripe is not booked', event, payment, news);
  }

  /** @returns the payment that Stripe will be asked about; undefined when it is none of ours */
  private async ring(tx: EntityManager, { payment, intent }: StripeNews): Promise<PaymentId | undefined> {
    const found = payment
      ? await this.payments.lock(tx, payment)
      : intent && (await this.payments.ofProvider(tx, 'stripe', intent));
    if (!found) return undefined;
    await this.payments.ring(tx, found.id);
    return found.id;
  }

  private notBooked(
    msg: string,
    { id: event, eventType }: WebhookEventMessage,
    payment: PaymentId,
    { id }: StripeNews,
  ) {
    this.logger.warn({ msg, payment, object: id, eventType, event });
  }
}

function causeOf({ id, source }: WebhookEventMessage) {
  return { source: 'webhook', actor: `webhook:${source}`, event: id } as const;
}
