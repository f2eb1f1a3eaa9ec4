import type { Money } from '../../kernel/money.js';
import type { Branded } from '../../kernel/ids.js';
import { isUuid } from '../../kernel/ids.js';

export type PaymentId = Branded<'PaymentId'>;

export const isPaymentId = (text: string): text is PaymentId => isUuid(text);

export const PAYMENT_PROVIDERS = ['stripe', 'paystack', 'sandbox'] as const;
export type PaymentProviderName = (typeof PAYMENT_PROVIDERS)[number];

/** Whether real money moves. */
export type PaymentMode = 'test' | 'live';

/** `manual`: authorised first, captured by a call of its own. */
export type CaptureMode = 'automatic' | 'manual';

/**
 * Where the charge stands. Refunds and disputes have states of their own: a payment can be refunded, disputed, won and refunded
 * again, and its charge has succeeded all the while.
 */
export const CHARGE_STATUSES = [
  'created',
  'requires_action',
  'processing',
  'requires_capture',
  'succeeded',
  'failed',
  'canceled',
  /** By a rule of ours: it was never sent. */
  'declined',
] as const;
export type ChargeStatus = (typeof CHARGE_STATUSES)[number];

/** Those a provider knows: it never hears of what is only created, or declined by us. */
export type ReportedStatus = Exclude<ChargeStatus, 'created' | 'declined'>;

/** Why the provider, or the customer's bank, said no. */
export interface PaymentFailure {
  /** The provider's code, for example `card_declined`. */
  readonly code: string;
  /** The bank's, for example `insufficient_funds`. */
  readonly declineCode?: string;
  /** For people. */
  readonly message: string;
}

/** Who made a charge change. */
export type ChangeSource = 'api' | 'webhook' | 'reconciler';

/** What moved a charge, for its history. */
export interface ChangeCause {
  readonly source: ChangeSource;
  /** `api-key:<id>`, `user:<id>`, `webhook:<source>` or `system:payments`. */
  readonly actor: string;
  /** The webhook event's id, where one brought it. */
  readonly event?: string;
}

/** What a provider says of a charge at one moment. */
export interface ChargeReport {
  /** The provider's id of the charge. */
  readonly reference: string;
  readonly status: ReportedStatus;
  readonly mode: PaymentMode;
  /** What the provider has received for it so far; zero before it succeeds. */
  readonly received: Money;
  readonly failure?: PaymentFailure;
  /** Where the customer goes on. */
  readonly authorizationUrl?: string;
  /**
   * What the customer's page confirms the charge with, as long as that is to be done. Whoever has it can do so: it is in the answers
   * to who asked for the payment, and neither stored in the clear nor logged.
   */
  readonly clientSecret?: string;
  /** What the provider's own dialog goes on with, where it has one. */
  readonly accessCode?: string;
}

export const REFUND_STATUSES = ['pending', 'requires_action', 'succeeded', 'failed', 'canceled'] as const;
export type RefundStatus = (typeof REFUND_STATUSES)[number];

/** What a provider says of a refund at one moment. */
export interface RefundReport {
  /** The provider's id of the refund. */
  readonly reference: string;
  readonly status: RefundStatus;
  readonly amount: Money;
  readonly failure?: PaymentFailure;
}

/** A refund in a provider's own list, whoever made it. */
export interface ProviderRefund extends RefundReport {
  /** The refund of ours that it says it was made for. */
  readonly ours: string | undefined;
  /** It pays a dispute, with which its loss is counted. */
  readonly paysDispute?: boolean;
}
