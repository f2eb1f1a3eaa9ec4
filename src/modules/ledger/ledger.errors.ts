import { AppError, ConflictError, NotFoundError, UnavailableError, ValidationError } from '../../kernel/app-error.js';
import { MAX_AMOUNT } from '../../kernel/money.js';
import type { AccountKey } from './account.js';
import type { HoldStatus } from './hold.js';

/** 400: zero, below zero, or more than the API can say exactly. */
export class InvalidAmountError extends ValidationError {
  override readonly code = 'INVALID_AMOUNT';
  override readonly title = 'The amount is not valid';

  constructor() {
    super(`An amount is a whole number of minor units from 1 to ${MAX_AMOUNT}.`);
  }
}

/** 400: not in ISO 4217. */
export class UnknownCurrencyError extends ValidationError {
  override readonly code = 'UNKNOWN_CURRENCY';
  override readonly title = 'The currency is not known';

  constructor() {
    super('A currency is a code of ISO 4217 in upper case, for example USD.');
  }
}

/** 400: money never changes its currency on the way. */
export class CurrencyMismatchError extends ValidationError {
  override readonly code = 'CURRENCY_MISMATCH';
  override readonly title = 'The currencies differ';

  constructor() {
    super('The amount and both accounts must be in the same currency.');
  }
}

/** 400: from an account to itself. */
export class SelfTransferError extends ValidationError {
  override readonly code = 'SELF_TRANSFER';
  override readonly title = 'A transfer to itself';

  constructor() {
    super('Debit and credit are the same account.');
  }
}

/** 402: what is available does not cover it. */
export class InsufficientFundsError extends AppError {
  readonly code = 'INSUFFICIENT_FUNDS';
  readonly status = 402;
  readonly title = 'Insufficient funds';

  /** @param available minor units */
  constructor({ currency }: AccountKey, available: bigint, amount: bigint) {
    super(`The account has ${available} available, ${amount} are needed (${currency}, minor units).`, {
      details: { available: Number(available), amount: Number(amount), currency },
    });
  }
}

/** 404: no such account, or not the caller's. */
export function accountNotFound(): NotFoundError {
  return new NotFoundError('There is no such account.');
}

/** 404: no such hold, or not the caller's. */
export function holdNotFound(): NotFoundError {
  return new NotFoundError('There is no hold with this id.');
}

/** 404: no such transfer, or not the caller's. */
export function transferNotFound(): NotFoundError {
  return new NotFoundError('There is no transfer with this id.');
}

/** 409: nothing moves in or out of a frozen account. */
export class AccountFrozenError extends ConflictError {
  override readonly code = 'ACCOUNT_FROZEN';
  override readonly title = 'The account is frozen';

  constructor() {
    super('One of the accounts is frozen: nothing moves in or out of it.');
  }
}

/** 409: a balance would leave ±(2^53 − 1). */
export class BalanceOverflowError extends ConflictError {
  override readonly code = 'BALANCE_OVERFLOW';
  override readonly title = 'The balance would be too large';

  constructor() {
    super(`No balance goes beyond ${MAX_AMOUNT} minor units, above or below zero.`);
  }
}

/** 409: captured or voided before. */
export class HoldAlreadyResolvedError extends ConflictError {
  override readonly code = 'HOLD_ALREADY_RESOLVED';
  override readonly title = 'The hold is resolved';

  constructor(status: HoldStatus) {
    super(`The hold is ${status}; a hold is resolved once.`, { details: { status } });
  }
}

/** 409: its time is over, whether or not the sweep has come by. */
export class HoldExpiredError extends ConflictError {
  override readonly code = 'HOLD_EXPIRED';
  override readonly title = 'The hold has expired';

  constructor(expiresAt: Date) {
    super('The hold has expired; its money is released.', { details: { expiresAt: expiresAt.toISOString() } });
  }
}

/** 409: more is asked for than is held. */
export class CaptureExceedsHoldError extends ConflictError {
  override readonly code = 'CAPTURE_EXCEEDS_HOLD';
  override readonly title = 'More than is held';

  /** @param held minor units */
  constructor(held: bigint) {
    super(`The hold is ${held} minor units; no more can be captured.`, { details: { held: Number(held) } });
  }
}

/** 409: a transfer is reversed once. */
export class AlreadyReversedError extends ConflictError {
  override readonly code = 'ALREADY_REVERSED';
  override readonly title = 'The transfer is reversed';

  constructor() {
    super('The transfer has been reversed; that happens once.');
  }
}

/** 409: a reversal stands; what it took back is posted anew, as a transfer of its own. */
export class ReversalNotReversibleError extends ConflictError {
  override readonly code = 'REVERSAL_NOT_REVERSIBLE';
  override readonly title = 'A reversal cannot be reversed';

  constructor() {
    super('This transfer is a reversal itself. Post the transfer anew instead.');
  }
}

/** 409: one transfer has it. */
export class ReferenceAlreadyUsedError extends ConflictError {
  override readonly code = 'REFERENCE_ALREADY_USED';
  override readonly title = 'The reference is used';

  constructor(category: string | null, reference: string) {
    super('A transfer with this category and reference has been posted.', { details: { category, reference } });
  }
}

/** 409: another posting of an atomic batch was refused, so nothing of it was posted. */
export class BatchRejectedError extends ConflictError {
  override readonly code = 'BATCH_REJECTED';
  override readonly title = 'The batch is rejected';

  /** @param results of all its postings, where the whole batch is answered */
  constructor(results?: readonly object[]) {
    super('Another posting of this atomic batch was refused; nothing of it was posted.', {
      ...(results && { extension: { results } }),
    });
  }
}

/** 503: somebody's transaction has not let go of the ledger within the time a statement may take. */
export function ledgerHeld(cause: unknown): UnavailableError {
  return new UnavailableError('Another transaction holds the ledger; try again in a moment.', { cause });
}
