import { AppError, ConflictError, NotFoundError } from '../../kernel/app-error.js';
import type { Money } from '../../kernel/money.js';
import type { ChargeStatus, PaymentFailure } from './payment.js';

/** 404: no such payment, or not the caller's. */
export function unknownPayment(): NotFoundError {
  return new NotFoundError('There is no payment with this id.');
}

/** 404: no such dispute, or not about the caller's payment. */
export function unknownDispute(): NotFoundError {
  return new NotFoundError('There is no dispute with this id.');
}

/** 409: the user has a payment for this order that is not over. */
export class PaymentAlreadyOpenError extends ConflictError {
  override readonly code = 'PAYMENT_ALREADY_OPEN';
  override readonly title = 'A payment for this is open';

  constructor(payment: string, status: ChargeStatus) {
    super(`The payment ${payment} has this reference and is ${status}.`, { details: { payment, status } });
  }
}

/** 402: a rule of ours declined it. Which one, only the payment's detail tells, and only to staff. */
export class PaymentDeclinedError extends AppError {
  readonly code = 'PAYMENT_DECLINED';
  readonly status = 402;
  readonly title = 'The payment is declined';

  constructor(payment: string) {
    super('The payment is declined; nothing was charged.', { details: { payment } });
  }
}

/** 409: nothing of the kind can be done with a charge in this status. */
export class IllegalTransitionError extends ConflictError {
  override readonly code = 'ILLEGAL_TRANSITION';
  override readonly title = 'The status forbids it';

  constructor(what: string, status: ChargeStatus, where = '') {
    super(`A payment that is ${status}${where} cannot be ${what}.`, { details: { status } });
  }
}

/** 409: another call about this payment is under way, or its outcome is not known yet. */
export class PaymentBusyError extends ConflictError {
  override readonly code = 'PAYMENT_BUSY';
  override readonly title = 'Another call is under way';

  constructor() {
    super('Another call about this payment has not ended, or its outcome is not known yet. Verify the payment first.', {
      retryAfter: 1,
    });
  }
}

/** 409: more is asked for than was authorised. */
export class CaptureExceedsAuthorizationError extends ConflictError {
  override readonly code = 'CAPTURE_EXCEEDS_AUTHORIZATION';
  override readonly title = 'More than was authorised';

  constructor(authorized: Money) {
    super(`${authorized.minor} minor units were authorised; no more can be captured.`, {
      details: { authorized: Number(authorized.minor), currency: authorized.currency },
    });
  }
}

/** 409: more is asked back than there is. */
export class RefundExceedsCapturedError extends ConflictError {
  override readonly code = 'REFUND_EXCEEDS_CAPTURED';
  override readonly title = 'More than can be refunded';

  constructor(refundable: Money) {
    super(`${refundable.minor} minor units of this payment can be refunded.`, {
      details: { refundable: Number(refundable.minor), currency: refundable.currency },
    });
  }
}

/** 409: an open dispute claims what is asked back. */
export class PaymentDisputedError extends ConflictError {
  override readonly code = 'PAYMENT_DISPUTED';
  override readonly title = 'It is disputed';

  constructor(refundable: Money) {
    super(
      `A dispute about this payment is open: ${refundable.minor} minor units can be refunded until it is decided.`,
      { details: { refundable: Number(refundable.minor), currency: refundable.currency } },
    );
  }
}

/** 409: several users have a payment with this reference. */
export class ReferenceAmbiguousError extends ConflictError {
  override readonly code = 'PAYMENT_REFERENCE_AMBIGUOUS';
  override readonly title = 'Several payments have this reference';

  constructor() {
    super('Several users have a payment with this reference: ask by the id of the payment.');
  }
}

/** 409: the provider refused the call; nothing has changed. */
export class ProviderRefusedError extends ConflictError {
  override readonly code = 'PROVIDER_REFUSED';
  override readonly title = 'The payment provider refused';

  constructor(failure: PaymentFailure) {
    super(`The payment provider refused: ${failure.message}`, { details: { failure } });
  }
}
