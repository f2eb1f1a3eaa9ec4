import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { WebhookHandler, type WebhookEventMessage } from '../../../webhooks/index.js';
import { type ChargeNews, ChargeReports } from '../../charges/charge-reports.js';
import { SETTLED_TOGETHER } from '../../charges/charge-settling.js';
import { DisputeReports } from '../../disputes/dispute-reports.js';
import type { PaymentId } from '../../payment.js';
import { PaymentsRepository } from '../../payments.repository.js';
import { RefundAdoption } from '../../refunds/refund-adoption.js';
import { RefundReports } from '../../refunds/refund-reports.js';
import { newsIn, refundOf, type StripeNews } from './stripe-event.js';
import { disputeReportOf, type StripeDispute } from './stripe-disputes.js';
import {
  chargeReportOf,
  providerRefundOf,
  refundReportOf,
  type StripeIntent,
  type StripeRefund,
} from './stripe-objects.js';

/** Events, snapshots and thin ones, about money that goes back. */
const RETURNS = /^(v1\.)?(charge\.(refund|dispute)|refund\.)/;

/**
 * Stripe's events. `payment_intent.*`, refunds and disputes are taken at their word; all others, and whatever is
 * rendered in another API version or comes without its object, are doorbells: Stripe is asked soon, outside of any transaction. What
 * is about no payment of ours changes nothing.
 *
 * So no loss is booked twice that is told of as refund, dispute and charge, and a capture in part, whose rest shows as a refund
 * inside its charge, debits nobody.
 */
@Injectable()
export class StripeHandlers {
  constructor(
    private readonly payments: PaymentsRepository,
    private readonly charges: ChargeReports,
    private readonly refunds: RefundReports,
    private readonly adoption: RefundAdoption,
    private readonly disputes: DisputeReports,
  ) {}

  @WebhookHandler('stripe', 'payment_intent.*', { posts: true, batch: SETTLED_TOGETHER })
  async chargesChanged(tx: EntityManager, events: readonly WebhookEventMessage[]): Promise<void> {
    const told: ChargeNews[] = [];
    const rung: StripeNews[] = [];
    for (const event of events) {
      const news = newsIn(event.payload);
      if (news === undefined) continue;
      const { object, payment } = news;
      if (object === undefined || payment === undefined) rung.push(news);
      else told.push({ payment, report: chargeReportOf(object as unknown as StripeIntent), cause: causeOf(event) });
    }
    await this.charges.applyAll(tx, told);
    for (const news of rung) await this.look(tx, news);
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
    if (news === undefined) return;
    if (event.eventType.startsWith('charge.dispute.') && news.object) await this.disputeNews(tx, news, event);
    else if (RETURNS.test(event.eventType)) await this.ring(tx, news);
    else await this.look(tx, news);
  }

  /** Thin events about the same objects. */
  @WebhookHandler('stripe', 'v1.*', { posts: true })
  async thin(tx: EntityManager, event: WebhookEventMessage): Promise<void> {
    const news = newsIn(event.payload);
    if (news === undefined) return;
    if (RETURNS.test(event.eventType)) await this.ring(tx, news);
    else await this.look(tx, news);
  }

  private async refundNews(tx: EntityManager, event: WebhookEventMessage): Promise<void> {
    const news = newsIn(event.payload);
    if (news === undefined) return;
    const { object } = news;
    const ours = object && refundOf(object);
    const refund = object as unknown as StripeRefund;
    if (ours !== undefined && (await this.refunds.apply(tx, ours, refundReportOf(refund), causeOf(event)))) return;
    const payment = await this.paymentOf(tx, news);
    if (payment === undefined) return;
    if (object === undefined) return this.payments.ring(tx, payment);
    const made = providerRefundOf(refund);
    // Without a balance transaction no money has moved; should any, another event tells of it.
    if (made && !(await this.adoption.apply(tx, payment, made, causeOf(event)))) await this.payments.ring(tx, payment);
  }

  private async disputeNews(tx: EntityManager, news: StripeNews, event: WebhookEventMessage): Promise<void> {
    const payment = await this.paymentOf(tx, news);
    if (payment === undefined) return;
    const report = disputeReportOf(news.object as unknown as StripeDispute);
    if (!(await this.disputes.apply(tx, payment, report, causeOf(event)))) await this.payments.ring(tx, payment);
  }

  /** Stripe will be asked about the charge, if it is one of ours. */
  private async look(tx: EntityManager, news: StripeNews): Promise<void> {
    const payment = await this.paymentOf(tx, news);
    if (payment !== undefined) await this.payments.look(tx, payment);
  }

  /** Stripe will be asked about refunds and disputes, if they are of one of ours. */
  private async ring(tx: EntityManager, news: StripeNews): Promise<void> {
    const payment = await this.paymentOf(tx, news);
    if (payment !== undefined) await this.payments.ring(tx, payment);
  }

  /** Metadata alone proves nothing: whoever makes objects at Stripe can write what they like into it. */
  private async paymentOf(tx: EntityManager, { payment, intent }: StripeNews): Promise<PaymentId | undefined> {
    const found = payment
      ? await this.payments.lock(tx, payment)
      : intent === undefined
        ? null
        : await this.payments.ofProvider(tx, 'stripe', intent);
    const isAnothers = found?.providerReference && intent !== undefined && found.providerReference !== intent;
    return found === null || isAnothers ? undefined : found.id;
  }
}

function causeOf({ id, source }: WebhookEventMessage) {
  return { source: 'webhook', actor: `webhook:${source}`, event: id } as const;
}
