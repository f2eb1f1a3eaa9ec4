import type { Money } from '../../../kernel/money.js';
import type { DisputeReport } from '../disputes/dispute.js';
import type {
  CaptureMode,
  ChargeReport,
  PaymentFailure,
  PaymentId,
  PaymentMode,
  PaymentProviderName,
  ProviderRefund,
  RefundReport,
} from '../payment.js';
import type { Movement, MovementWindow } from './provider-movement.js';

/** A charge to be made. */
export interface NewCharge {
  /** Goes along as metadata, and comes back with every event. */
  readonly payment: PaymentId;
  readonly amount: Money;
  readonly capture: CaptureMode;
  readonly email: string | undefined;
  readonly description: string | undefined;
  /** The provider's id of a means of payment, for example Stripe's `pm_…`: then it is confirmed at once. */
  readonly providerPaymentMethod: string | undefined;
}

/** A charge that was asked for. */
export interface ChargeRef {
  readonly payment: PaymentId;
  /** The provider's id; null when its answer to the creation was never seen. */
  readonly reference: string | null;
  /** How long ago its creation was sent, by the database's clock. */
  readonly ageMs: number;
}

/** A refund that was asked for. */
export interface RefundRef {
  readonly refund: string;
  readonly reference: string | null;
  readonly amount: Money;
  /** How long ago it was sent, by the database's clock. */
  readonly ageMs: number;
}

/** What went back of a charge. */
export interface Returns {
  /** Whoever made them. What never was money of ours is none. */
  readonly refunds: readonly ProviderRefund[];
  readonly disputes: readonly DisputeReport[];
}

/**
 * Who takes payments. Every call has a deadline of its own and is sent once. Calls that change something carry the key they are
 * given: sent again under it they have one effect, where the provider has keys.
 *
 * All of them throw `NotExecutedError` when it is certain that nothing happened and the provider said why,
 * `OutcomeUnknownError` when something may have happened. A decline is no error: it is a report.
 */
export interface PaymentProvider {
  readonly name: PaymentProviderName;
  readonly mode: PaymentMode;
  /** Milliseconds for which a call that is sent again under its key is certain to have one effect. 0: there are no keys, and refunds of a charge are sent one after the other. */
  readonly keysHoldMs: number;
  /** Whether it can authorise now and capture later. */
  readonly canAuthorize: boolean;

  /** @throws ValidationError for what the provider cannot carry: before anything is stored or sent */
  check(charge: NewCharge): void;

  create(charge: NewCharge, key: string): Promise<ChargeReport>;

  /** Captures so much of an authorisation and releases the rest. */
  capture(charge: ChargeRef, amount: Money, key: string): Promise<ChargeReport>;

  /** Gives up a charge that has not succeeded. */
  cancel(charge: ChargeRef, key: string): Promise<ChargeReport>;

  refund(charge: ChargeRef, refund: RefundRef, key: string): Promise<RefundReport>;

  /** @returns undefined when it is certain that there is none, and that none is on its way */
  findCharge(charge: ChargeRef): Promise<ChargeReport | undefined>;

  /** @returns undefined when it is certain that there is none, and that none is on its way */
  findRefund(charge: ChargeRef, refund: RefundRef): Promise<RefundReport | undefined>;

  /** All refunds and disputes that the provider has of a charge which succeeded. */
  findReturns(charge: ChargeRef): Promise<Returns>;
  /**
   * What moved on our balance there, from the provider's own lists, page by page. Questions that got no answer are asked again, and
   * not sooner than the provider wishes.
   *
   * @throws NotExecutedError when it will not tell, OutcomeUnknownError when it has not answered for long
   */
  movements(window: MovementWindow): AsyncIterable<readonly Movement[]>;
}

/** Nothing happened, and never will: the provider refused the request. */
export class NotExecutedError extends Error {
  override readonly name = 'NotExecutedError';

  constructor(
    readonly failure: PaymentFailure,
    cause?: unknown,
  ) {
    super(failure.message, { cause });
  }
}

/**
 * Turned away before anything was looked at: who asks, or how often. Nothing happened this time; what became of the same call
 * when it was sent before, it does not tell.
 */
export class TurnedAwayError extends NotExecutedError {}

/** It may have happened. Only the provider can tell, later. */
export class OutcomeUnknownError extends Error {
  override readonly name = 'OutcomeUnknownError';

  constructor(message: string, cause?: unknown) {
    super(message, { cause });
  }
}
