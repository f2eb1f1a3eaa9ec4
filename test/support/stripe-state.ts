import { randomBytes } from 'node:crypto';
import type { Stripe } from 'stripe';
import { type ChargeSource, StripeBalance } from './stripe-balance.js';
import { disputeTransaction, newDispute } from './stripe-disputes.js';
import { type Parameters, StripeRefusal } from './stripe-parameters.js';

/** Written from https://docs.stripe.com/currencies, not from our own table. */
const ENDS_IN: Record<string, number> = { isk: 100, ugx: 100, kwd: 10 };

/** https://docs.stripe.com/testing: means of payment that exist without being made. */
const CARDS: Record<string, 'pays' | 'declines' | 'asks'> = {
  pm_card_visa: 'pays',
  pm_card_chargeDeclined: 'declines',
  pm_card_authenticationRequired: 'asks',
};

const DECLINE = {
  type: 'card_error',
  code: 'card_declined',
  decline_code: 'generic_decline',
  doc_url: 'https://stripe.com/docs/error-codes/card-declined',
  message: 'Your card was declined.',
} as const;

export const VERSION = '2026-10-28.endive';

/** What a Stripe account holds, and the events that tell of it. The objects are whole: the compiler compares them with Stripe's types. */
export class StripeState {
  readonly intents = new Map<string, Stripe.PaymentIntent>();
  readonly refunds = new Map<string, Stripe.Refund>();
  readonly disputes = new Map<string, Stripe.Dispute>();
  readonly balance = new StripeBalance();
  /** In the order in which things happened. Nothing delivers them but the tests. */
  readonly events: Record<string, unknown>[] = [];

  create(params: Parameters): Stripe.PaymentIntent {
    const amount = Number(need(params, 'amount'));
    const currency = need(params, 'currency');
    if (amount < (currency === 'usd' ? 50 : 1)) {
      throw StripeRefusal.invalid('Amount must be at least $0.50 usd', { code: 'amount_too_small', param: 'amount' });
    }
    if (amount > 99_999_999)
      throw StripeRefusal.invalid('Amount is too large', { code: 'amount_too_large', param: 'amount' });
    if (amount % (ENDS_IN[currency] ?? 1) !== 0)
      throw StripeRefusal.invalid(`Invalid amount in ${currency}`, { param: 'amount' });
    const card = params['payment_method'] as string | undefined;
    if (card !== undefined && CARDS[card] === undefined) {
      throw StripeRefusal.invalid(`No such PaymentMethod: '${card}'`, {
        code: 'resource_missing',
        param: 'payment_method',
      });
    }
    const methods = params['automatic_payment_methods'] as Parameters | undefined;
    const confirms = params['confirm'] === 'true';
    if (confirms && methods?.['allow_redirects'] !== 'never') {
      throw StripeRefusal.invalid(
        'This PaymentIntent is configured to accept payment methods that redirect: give a return_url',
      );
    }
    const intent = newIntent({
      amount,
      currency,
      capture_method: (params['capture_method'] as string | undefined) ?? 'automatic_async',
      automatic_payment_methods: methods
        ? {
            enabled: methods['enabled'] === 'true',
            allow_redirects: methods['allow_redirects'] === 'never' ? 'never' : 'always',
          }
        : null,
      description: (params['description'] as string | undefined) ?? null,
      receipt_email: (params['receipt_email'] as string | undefined) ?? null,
      metadata: { ...(params['metadata'] as Record<string, string> | undefined) },
    });
    this.intents.set(intent.id, intent);
    this.tell('payment_intent.created', intent);
    if (confirms) this.confirm(intent, CARDS[card ?? ''] ?? 'declines');
    return intent;
  }

  /** The customer pays, on the page. */
  pay(id: string): Stripe.PaymentIntent {
    const intent = this.intent(id);
    this.confirm(intent, 'pays');
    return intent;
  }

  /** The customer tries and the bank declines. */
  decline(id: string): Stripe.PaymentIntent {
    const intent = this.intent(id);
    expectRefusal(() => this.confirm(intent, 'declines'));
    return intent;
  }

  capture(id: string, params: Parameters): Stripe.PaymentIntent {
    const intent = this.intent(id);
    if (intent.status !== 'requires_capture') throw unexpectedState(intent, 'captured');
    const part = Number(params['amount_to_capture'] ?? intent.amount_capturable);
    if (part > intent.amount_capturable) {
      throw StripeRefusal.invalid('The amount to capture is greater than what can be captured', {
        code: 'amount_too_large',
      });
    }
    const rest = intent.amount - part;
    Object.assign(intent, { status: 'succeeded', amount_received: part, amount_capturable: 0 });
    this.balance.add('charge', chargeSourceOf(intent), part);
    this.tell('charge.captured', this.chargeOf(intent, rest));
    if (rest > 0) this.release(intent, rest);
    this.tell('payment_intent.succeeded', intent);
    return intent;
  }

  cancel(id: string, { cancellation_reason: reason = null }: { cancellation_reason?: string | null } = {}) {
    const intent = this.intent(id);
    if (intent.status === 'succeeded' || intent.status === 'canceled') throw unexpectedState(intent, 'canceled');
    if (intent.status === 'requires_capture') this.release(intent, intent.amount);
    Object.assign(intent, {
      status: 'canceled',
      canceled_at: now(),
      cancellation_reason: reason,
      amount_capturable: 0,
      next_action: null,
    });
    this.tell('payment_intent.canceled', intent);
    return intent;
  }

  refund(params: Parameters): Stripe.Refund {
    const intent = this.intent(need(params, 'payment_intent'));
    if (intent.status !== 'succeeded') throw unexpectedState(intent, 'refunded');
    const left = intent.amount_received - this.refunded(intent.id);
    if (left === 0)
      throw StripeRefusal.invalid('Charge has already been refunded.', { code: 'charge_already_refunded' });
    const amount = Number(params['amount'] ?? left);
    if (amount > left)
      throw StripeRefusal.invalid(`Refund amount (${amount}) is greater than unrefunded amount on charge (${left})`);
    const refund = newRefund(intent, amount, { ...(params['metadata'] as Record<string, string> | undefined) });
    this.refunds.set(refund.id, refund);
    refund.balance_transaction = this.balance.add('refund', refund, -amount).id;
    this.tell('charge.refunded', this.chargeOf(intent, this.refunded(intent.id)));
    this.tell('refund.created', refund);
    return refund;
  }

  /** Somebody refunds it in the dashboard: it names nothing of ours. */
  refundInDashboard(intent: string, amount: number): Stripe.Refund {
    return this.refund({ payment_intent: intent, amount: String(amount) });
  }

  /** What is released of an authorisation shows as a refund that never was in the balance. */
  private release(intent: Stripe.PaymentIntent, amount: number): void {
    const reason = amount === intent.amount ? 'expired_uncaptured_charge' : null;
    const refund = { ...newRefund(intent, amount, {}), balance_transaction: null, reason };
    this.refunds.set(refund.id, refund);
    this.tell('charge.refunded', this.chargeOf(intent, amount));
    this.tell('refund.created', refund);
    this.tell('refund.updated', refund);
  }

  /** The customer's bank asks for the money back, or, with a `warning_…`, only asks. */
  dispute(
    intentId: string,
    { amount, status = 'needs_response' }: { amount?: number; status?: Stripe.Dispute.Status } = {},
  ): Stripe.Dispute {
    const intent = this.intent(intentId);
    const { amount_received: received, currency, id: payment_intent } = intent;
    const charge = chargeIdOf(intent);
    const created = now();
    const dispute = newDispute({
      id: newId('dp'),
      amount: amount ?? received,
      charge,
      created,
      currency,
      payment_intent,
      status,
    });
    this.disputes.set(dispute.id, dispute);
    this.tell('charge.dispute.created', dispute);
    return dispute;
  }

  /** Money leaves the account for it, or with a positive amount comes back. */
  moveFunds(dispute: Stripe.Dispute, amount: number, more: { currency?: string; fee?: number } = {}): void {
    const transaction = this.balance.add('adjustment', dispute, amount, disputeTransaction(dispute, amount, more));
    dispute.balance_transactions.push({ ...transaction, source: dispute.id });
    this.tell(`charge.dispute.funds_${amount < 0 ? 'withdrawn' : 'reinstated'}`, dispute);
  }

  moveDispute(dispute: Stripe.Dispute, status: Stripe.Dispute.Status): void {
    dispute.status = status;
    const isOver = ['won', 'lost', 'warning_closed', 'prevented'].includes(status);
    this.tell(`charge.dispute.${isOver ? 'closed' : 'updated'}`, dispute);
  }

  disputesOf(intent: unknown): Stripe.Dispute[] {
    return [...this.disputes.values()].filter(({ payment_intent }) => payment_intent === intent);
  }

  /** What Stripe holds for us in a currency, by its own books; fees apart. */
  balanceIn(currency: string): number {
    const received = [...this.intents.values()].map((each) => (each.currency === currency ? each.amount_received : 0));
    const refunded = [...this.refunds.values()].map((each) =>
      each.currency === currency && each.status === 'succeeded' && each.balance_transaction !== null ? each.amount : 0,
    );
    const disputed = [...this.disputes.values()]
      .flatMap((each) => each.balance_transactions)
      .map((each) => (each.currency === currency ? each.amount : 0));
    return sum(received) - sum(refunded) + sum(disputed);
  }

  /** The customer's bank sends it back. */
  failRefund(id: string): Stripe.Refund {
    const refund = this.refundOf(id);
    const { id: back } = this.balance.add('refund_failure', refund, refund.amount);
    Object.assign(refund, {
      status: 'failed',
      failure_reason: 'expired_or_canceled_card',
      failure_balance_transaction: back,
    });
    this.tell('charge.refund.updated', refund);
    this.tell('refund.failed', refund);
    return refund;
  }

  intent(id: string): Stripe.PaymentIntent {
    return this.intents.get(id) ?? missing('payment_intent', id, 'intent');
  }

  refundOf(id: string): Stripe.Refund {
    return this.refunds.get(id) ?? missing('refund', id, 'id');
  }

  /** Events about a PaymentIntent, its charges and its refunds. */
  eventsOf(intent: string): Record<string, unknown>[] {
    return this.events.filter(({ data }) => {
      const { id, payment_intent } = (data as { object: { id: string; payment_intent?: string } }).object;
      return id === intent || payment_intent === intent;
    });
  }

  /** A snapshot, as Stripe renders it when it happens. */
  tell(type: string, object: object, more: Record<string, unknown> = {}): Record<string, unknown> {
    const event = {
      id: newId('evt'),
      object: 'event',
      api_version: VERSION,
      created: now(),
      data: { object: structuredClone(object) },
      livemode: false,
      pending_webhooks: 1,
      request: { id: null, idempotency_key: null },
      type,
      ...more,
    };
    this.events.push(event);
    return event;
  }

  private confirm(intent: Stripe.PaymentIntent, card: 'pays' | 'declines' | 'asks'): void {
    if (!['requires_payment_method', 'requires_confirmation', 'requires_action'].includes(intent.status)) {
      throw unexpectedState(intent, 'confirmed');
    }
    const charge = newId('ch');
    if (card === 'asks') {
      Object.assign(intent, { status: 'requires_action', next_action: { type: 'use_stripe_sdk', use_stripe_sdk: {} } });
      this.tell('payment_intent.requires_action', intent);
      return;
    }
    if (card === 'declines') {
      const { type, ...words } = DECLINE;
      const error = { type, ...words, charge };
      Object.assign(intent, { status: 'requires_payment_method', latest_charge: charge, last_payment_error: error });
      this.tell('charge.failed', { ...this.chargeOf(intent, 0), status: 'failed', captured: false });
      this.tell('payment_intent.payment_failed', intent);
      throw new StripeRefusal(402, { ...error, payment_intent: structuredClone(intent) });
    }
    Object.assign(intent, { latest_charge: charge, last_payment_error: null, next_action: null });
    if (intent.capture_method === 'manual') {
      Object.assign(intent, { status: 'requires_capture', amount_capturable: intent.amount });
      this.tell('payment_intent.amount_capturable_updated', intent);
      this.tell('charge.succeeded', { ...this.chargeOf(intent, 0), captured: false });
      return;
    }
    Object.assign(intent, { status: 'succeeded', amount_received: intent.amount });
    this.balance.add('charge', chargeSourceOf(intent), intent.amount);
    this.tell('charge.succeeded', this.chargeOf(intent, 0));
    this.tell('payment_intent.succeeded', intent);
  }

  private refunded(intent: string): number {
    const of = [...this.refunds.values()].filter(
      ({ payment_intent, status, balance_transaction }) =>
        payment_intent === intent && status !== 'failed' && balance_transaction !== null,
    );
    return sum(of.map(({ amount }) => amount));
  }

  /** As much of a charge as its events need: they are doorbells, and nobody reads more. */
  private chargeOf(intent: Stripe.PaymentIntent, refunded: number) {
    return {
      id: chargeIdOf(intent),
      object: 'charge',
      amount: intent.amount,
      amount_captured: intent.amount,
      amount_refunded: refunded,
      captured: true,
      currency: intent.currency,
      livemode: false,
      metadata: { ...intent.metadata },
      payment_intent: intent.id,
      refunded: refunded === intent.amount,
      status: 'succeeded',
    } satisfies Partial<Stripe.Charge>;
  }
}

export function newId(prefix: string): string {
  return `${prefix}_${randomBytes(12).toString('hex')}`;
}

function chargeIdOf({ latest_charge: charge }: Stripe.PaymentIntent): string {
  if (typeof charge === 'string') return charge;
  throw new Error('It has no charge');
}

/** Its charge, as it is expanded in a balance transaction. */
function chargeSourceOf(intent: Stripe.PaymentIntent): ChargeSource {
  return {
    id: chargeIdOf(intent),
    object: 'charge',
    amount: intent.amount,
    amount_captured: intent.amount_received,
    currency: intent.currency,
    livemode: false,
    metadata: { ...intent.metadata },
    payment_intent: intent.id,
    status: 'succeeded',
  };
}

function now(): number {
  return Math.floor(Date.now() / 1000);
}

function newIntent(
  given: Pick<
    Stripe.PaymentIntent,
    | 'amount'
    | 'currency'
    | 'capture_method'
    | 'automatic_payment_methods'
    | 'description'
    | 'receipt_email'
    | 'metadata'
  >,
): Stripe.PaymentIntent {
  const id = newId('pi');
  return {
    id,
    object: 'payment_intent',
    ...given,
    allowed_payment_method_types: null,
    amount_capturable: 0,
    amount_received: 0,
    application: null,
    application_fee_amount: null,
    canceled_at: null,
    cancellation_reason: null,
    client_secret: `${id}_secret_${randomBytes(12).toString('hex')}`,
    confirmation_method: 'automatic',
    created: now(),
    customer: null,
    customer_account: null,
    excluded_payment_method_types: null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    managed_payments: null,
    next_action: null,
    on_behalf_of: null,
    payment_method: null,
    payment_method_configuration_details: null,
    payment_method_options: null,
    payment_method_types: ['card', 'link'],
    payment_record: null,
    processing: null,
    review: null,
    setup_future_usage: null,
    shipping: null,
    source: null,
    statement_descriptor: null,
    statement_descriptor_suffix: null,
    status: 'requires_payment_method',
    transfer_group: null,
  };
}

function newRefund(intent: Stripe.PaymentIntent, amount: number, metadata: Record<string, string>): Stripe.Refund {
  return {
    id: newId('re'),
    object: 'refund',
    amount,
    balance_transaction: newId('txn'),
    charge: chargeIdOf(intent),
    created: now(),
    currency: intent.currency,
    customer: null,
    customer_account: null,
    metadata,
    payment_intent: intent.id,
    payment_method: null,
    reason: null,
    receipt_number: null,
    source_transfer_reversal: null,
    status: 'succeeded',
    transfer_reversal: null,
  };
}

function sum(all: readonly number[]): number {
  return all.reduce((total, each) => total + each, 0);
}

function need(params: Parameters, name: string): string {
  const value = params[name];
  if (typeof value === 'string') return value;
  throw StripeRefusal.invalid(`Missing required param: ${name}.`, { code: 'parameter_missing', param: name });
}

function missing(what: string, id: string, param: string): never {
  throw StripeRefusal.invalid(`No such ${what}: '${id}'`, { code: 'resource_missing', param }, 404);
}

function unexpectedState(intent: Stripe.PaymentIntent, what: string): StripeRefusal {
  return StripeRefusal.invalid(`This PaymentIntent could not be ${what} because it has a status of ${intent.status}.`, {
    code: 'payment_intent_unexpected_state',
    payment_intent: structuredClone(intent),
  });
}

function expectRefusal(work: () => void): void {
  try {
    work();
  } catch (error) {
    if (error instanceof StripeRefusal) return;
    throw error;
  }
  throw new Error('It was not refused');
}
