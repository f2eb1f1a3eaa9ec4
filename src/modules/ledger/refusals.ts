import type { AppError } from '../../kernel/app-error.js';
import { MAX_AMOUNT, type Money } from '../../kernel/money.js';
import type { DraftAccount } from './draft.js';
import { AccountFrozenError, BalanceOverflowError, InsufficientFundsError } from './ledger.errors.js';

/** Why `amount` cannot be taken or reserved: what holds reserve already is not available. */
export function refuseFunds(account: DraftAccount, { minor }: Money): AppError | undefined {
  const available = account.balance - account.held;
  if (account.allowNegative || available >= minor) return undefined;
  return new InsufficientFundsError(account.ref, available, minor);
}

/** Why money cannot move from one to the other, whatever is there. */
export function refuseMove(debit: DraftAccount, credit: DraftAccount, { minor }: Money): AppError | undefined {
  if (debit.frozen || credit.frozen) return new AccountFrozenError();
  if (debit.balance - minor < -MAX_AMOUNT || credit.balance + minor > MAX_AMOUNT) return new BalanceOverflowError();
  return undefined;
}
