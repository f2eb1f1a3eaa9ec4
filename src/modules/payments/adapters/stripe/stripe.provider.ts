import { Inject, Injectable, Logger } from '@nestjs/common';
import type { Stripe } from 'stripe';
import { CONFIG, type Config } from '../../../../config/index.js';
import type { Money } from '../../../../kernel/money.js';
import { toProviderAmount } from '../../../../kernel/provider-amount.js';
import type { ChargeReport, PaymentMode, RefundReport } from '../../payment.js';
import {
  type ChargeRef,
  type NewCharge,
  NotExecutedError,
  OutcomeUnknownError,
  type PaymentProvider,
  type RefundRef,
  type Returns,
} from '../../providers/payment-provider.js';
import type { Movement, MovementWindow } from '../../providers/provider-movement.js';
import { openStripe } from './stripe-client.js';
import { declinedIntentOf } from './stripe-declines.js';
import { isKeyMisused, meaningOf } from './stripe-errors.js';
import { disputeReportOf } from './stripe-disputes.js';
import { allOf, firstOf, PAGE } from './stripe-lists.js';
import { stripeMovements } from './stripe-movements.js';
import { chargeReportOf, providerRefundOf, refundReportOf, type StripeIntent } from './stripe-objects.js';

/** Stripe keeps keys for 24 hours at least, and then executes anew. https://docs.stripe.com/api/idempotent_requests */
const KEYS_HOLD_MS = 23 * 3_600_000;

/** Three times a call's deadline: what does not show by then has not come. */
const SHOWS_WITHIN_MS = 60_000;

/** Between Stripe's clock and ours; besides, a call may be sent long after its row was written. */
const CLOCKS_DIFFER_MS = 300_000;

/**
 * Stripe, by PaymentIntents. Our ids go along as metadata, so that everything Stripe says later tells whose it is.
 *
 * Nothing here is a second try: an answer that did not come is `OutcomeUnknownError`.
 */
@Injectable()
export class StripePayments implements PaymentProvider {
  readonly name = 'stripe';
  readonly mode: PaymentMode;
  readonly keysHoldMs = KEYS_HOLD_MS;
  readonly canAuthorize = true;
  private readonly logger = new Logger(StripePayments.name);
  private readonly stripe: Stripe;

  constructor(@Inject(CONFIG) { STRIPE_SECRET_KEY: key = '', STRIPE_API_BASE: base }: Config) {
    this.stripe = openStripe(key, base);
    this.mode = key.split('_')[1] === 'live' ? 'live' : 'test';
  }

  check({ amount }: NewCharge): void {
    toProviderAmount('stripe', amount);
  }

  /** With a means of payment it is confirmed at once; else the customer goes on with the `clientSecret`. */
  async create(charge: NewCharge, key: string): Promise<ChargeReport> {
    const { payment, amount, capture, email, description, providerPaymentMethod } = charge;
    const params: Stripe.PaymentIntentCreateParams = {
      amount: toProviderAmount('stripe', amount),
      currency: amount.currency.toLowerCase(),
      capture_method: capture,
      metadata: { holdfast_payment: payment, holdfast_operation: key },
      ...(email !== undefined && { receipt_email: email }),
      ...(description !== undefined && { description }),
      ...(providerPaymentMethod === undefined
        ? { automatic_payment_methods: { enabled: true } }
        : {
            // Nobody is there to be sent elsewhere, and Stripe would ask for a return_url.
            automatic_payment_methods: { enabled: true, allow_redirects: 'never' },
            payment_method: providerPaymentMethod,
            confirm: true,
          }),
    };
    try {
      return chargeReportOf(await this.stripe.paymentIntents.create(params, { idempotencyKey: key }));
    } catch (error) {
      const declined = declinedIntentOf(error, payment);
      if (declined === undefined) throw this.meaningOf(error);
      return declined;
    }
  }

  async capture(charge: ChargeRef, amount: Money, key: string): Promise<ChargeReport> {
    const params = { amount_to_capture: toProviderAmount('stripe', amount) };
    const id = await this.idOf(charge);
    return this.changed(() => this.stripe.paymentIntents.capture(id, params, { idempotencyKey: key }));
  }

  async cancel(charge: ChargeRef, key: string): Promise<ChargeReport> {
    const id = await this.idOf(charge);
    return this.changed(() => this.stripe.paymentIntents.cancel(id, {}, { idempotencyKey: key }));
  }

  async refund(charge: ChargeRef, { refund, amount }: RefundRef, key: string): Promise<RefundReport> {
    const params = {
      payment_intent: await this.idOf(charge),
      amount: toProviderAmount('stripe', amount),
      metadata: { holdfast_payment: charge.payment, holdfast_refund: refund, holdfast_operation: key },
    };
    try {
      return refundReportOf(await this.stripe.refunds.create(params, { idempotencyKey: key }));
    } catch (error) {
      throw this.meaningOf(error);
    }
  }

  /**
   * By its id, or in the list of those created since: the list shows what there is, while the search is behind by a minute or, on
   * bad days, an hour, and proves no absence.
   */
  async findCharge({ payment, reference, ageMs }: ChargeRef): Promise<ChargeReport | undefined> {
    return this.asked(async () => {
      if (reference !== null) return chargeReportOf(await this.stripe.paymentIntents.retrieve(reference));
      const sent = Date.now() - ageMs;
      const created = {
        gte: unixSeconds(sent - CLOCKS_DIFFER_MS),
        lte: unixSeconds(sent + KEYS_HOLD_MS + CLOCKS_DIFFER_MS),
      };
      const found = await firstOf(
        (after) => this.stripe.paymentIntents.list({ created, limit: PAGE, ...after }),
        ({ metadata }) => metadata['holdfast_payment'] === payment,
      );
      return found ? chargeReportOf(found) : absent(ageMs, 'PaymentIntent');
    });
  }

  async findRefund(charge: ChargeRef, { refund, reference, ageMs }: RefundRef): Promise<RefundReport | undefined> {
    return this.asked(async () => {
      if (reference !== null) return refundReportOf(await this.stripe.refunds.retrieve(reference));
      const payment_intent = await this.idOf(charge);
      const found = await firstOf(
        (after) => this.stripe.refunds.list({ payment_intent, limit: PAGE, ...after }),
        ({ metadata }) => metadata?.['holdfast_refund'] === refund,
      );
      return found ? refundReportOf(found) : absent(ageMs, 'Refund');
    });
  }

  async findReturns(charge: ChargeRef): Promise<Returns> {
    return this.asked(async () => {
      const payment_intent = await this.idOf(charge);
      const of = { payment_intent, limit: PAGE };
      const [refunds, disputes] = await Promise.all([
        allOf((after) => this.stripe.refunds.list({ ...of, ...after })),
        allOf((after) => this.stripe.disputes.list({ ...of, ...after })),
      ]);
      return {
        refunds: refunds.flatMap((refund) => providerRefundOf(refund) ?? []),
        disputes: disputes.map(disputeReportOf),
      };
    });
  }

  movements(window: MovementWindow): AsyncIterable<readonly Movement[]> {
    return stripeMovements(this.stripe, window);
  }

  private async idOf(charge: ChargeRef): Promise<string> {
    const id = charge.reference ?? (await this.findCharge(charge))?.reference;
    if (id !== undefined) return id;
    throw new NotExecutedError({ code: 'no_such_charge', message: 'Stripe has no PaymentIntent for this payment.' });
  }

  private async changed(call: () => Promise<StripeIntent>): Promise<ChargeReport> {
    try {
      return chargeReportOf(await call());
    } catch (error) {
      throw this.meaningOf(error);
    }
  }

  /** A question that was refused says nothing about what was asked for. */
  private async asked<Found>(question: () => Promise<Found>): Promise<Found> {
    try {
      return await question();
    } catch (error) {
      const meaning = this.meaningOf(error);
      throw meaning instanceof NotExecutedError ? new OutcomeUnknownError(meaning.message, error) : meaning;
    }
  }

  private meaningOf(error: unknown): Error {
    if (error instanceof OutcomeUnknownError || error instanceof NotExecutedError) return error;
    if (isKeyMisused(error)) {
      this.logger.error({ msg: 'Stripe knows the key of a call with other parameters', err: error });
    }
    return meaningOf(error);
  }
}

/** @throws OutcomeUnknownError as long as it may be on its way */
function absent(ageMs: number, what: string): undefined {
  if (ageMs < SHOWS_WITHIN_MS) throw new OutcomeUnknownError(`Stripe shows no ${what} yet`);
}

function unixSeconds(ms: number): number {
  return Math.floor(ms / 1000);
}
