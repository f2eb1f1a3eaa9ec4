import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { isJsonObject, type JsonValue } from '../../../../kernel/exact-json.js';
import { PermanentWebhookError, WebhookHandler, type WebhookEventMessage } from '../../../webhooks/index.js';
import { ChargeReports } from '../../charges/charge-reports.js';
import { SETTLED_TOGETHER } from '../../charges/charge-settling.js';
import type { ChargeReport, PaymentId } from '../../payment.js';
import { PaymentsRepository } from '../../payments.repository.js';
import { chargeReportOf, UnreadableObjectError } from './paystack-objects.js';
import { paymentOf, referenceOf } from './paystack-reference.js';

/**
 * The source that is signed with the secret key of the account that takes our payments. Others of Paystack's are of accounts whose
 * owners have no say here.
 */
const SOURCE = 'paystack';

/**
 * Paystack's events. `charge.success` credits. All others only ring: those of refunds carry no id, two equal ones are
 * byte-identical and count as one, and those of disputes do not say what money moved, so Paystack is asked instead.
 *
 * https://paystack.com/docs/payments/webhooks/#supported-events
 */
@Injectable()
export class PaystackHandlers {
  constructor(
    private readonly charges: ChargeReports,
    private readonly payments: PaymentsRepository,
  ) {}

  @WebhookHandler(SOURCE, 'charge.success', { posts: true, batch: SETTLED_TOGETHER })
  async chargesSucceeded(tx: EntityManager, events: readonly WebhookEventMessage[]): Promise<void> {
    const named = events.flatMap((event) => {
      const payment = event.source === SOURCE ? paymentOf(memberOf(event.payload.data, 'reference')) : undefined;
      return payment === undefined ? [] : [{ event, payment }];
    });
    const locked = await this.payments.lockAll(
      tx,
      named.map(({ payment }) => payment),
    );
    const ours = named.filter(({ payment }) => locked.get(payment)?.provider === 'paystack');
    await this.charges.applyAll(
      tx,
      ours.map(({ event: { id, source, payload }, payment }) => ({
        payment,
        report: reportOf(payload.data, payment),
        cause: { source: 'webhook', actor: `webhook:${source}`, event: id },
      })),
    );
  }

  @WebhookHandler(SOURCE, 'refund.*')
  async refundChanged(tx: EntityManager, event: WebhookEventMessage): Promise<void> {
    await this.ring(tx, event);
  }

  @WebhookHandler(SOURCE, 'charge.dispute.*')
  async disputeChanged(tx: EntityManager, event: WebhookEventMessage): Promise<void> {
    await this.ring(tx, event);
  }

  private async ring(tx: EntityManager, event: WebhookEventMessage): Promise<void> {
    const { data } = event.payload;
    const reference = memberOf(data, 'transaction_reference') ?? memberOf(memberOf(data, 'transaction'), 'reference');
    const payment = await this.ours(tx, event, reference);
    if (payment !== undefined) await this.payments.ring(tx, payment);
  }

  /**
   * The reference alone says whose it is: it is made from the payment's id, and unique at Paystack. Metadata proves nothing:
   * whoever has the public key of the account can make transactions with any.
   */
  private async ours(
    tx: EntityManager,
    { source }: WebhookEventMessage,
    reference: JsonValue | undefined,
  ): Promise<PaymentId | undefined> {
    const id = source === SOURCE ? paymentOf(reference) : undefined;
    const payment = id === undefined ? null : await this.payments.lock(tx, id);
    return payment?.provider === 'paystack' ? payment.id : undefined;
  }
}

/** @throws PermanentWebhookError when it cannot be read, however often */
function reportOf(data: JsonValue | undefined, payment: PaymentId): ChargeReport {
  try {
    return chargeReportOf(data, referenceOf(payment));
  } catch (error) {
    if (!(error instanceof UnreadableObjectError)) throw error;
    throw new PermanentWebhookError(error.message);
  }
}

function memberOf(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return isJsonObject(value) ? value[name] : undefined;
}
