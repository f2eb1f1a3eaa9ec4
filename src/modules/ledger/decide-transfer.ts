import type { AppError } from '../../kernel/app-error.js';
import { MAX_AMOUNT, type Money } from '../../kernel/money.js';
import type { RequestContext } from '../../platform/auth/index.js';
import type { Draft, DraftAccount } from './draft.js';
import {
  AccountFrozenError,
  accountNotFound,
  AlreadyReversedError,
  BalanceOverflowError,
  InsufficientFundsError,
  ReferenceAlreadyUsedError,
  ReversalNotReversibleError,
  transferNotFound,
} from './ledger.errors.js';
import type { PostingOutcome, ReversalPosting, TransferPosting } from './posting.js';

/** @param posting has passed `checkPosting` */
export function decideTransfer(draft: Draft, posting: TransferPosting, by: RequestContext): PostingOutcome {
  const { kind, amount, category, reference } = posting;
  const debit = draft.account(posting.debit);
  const credit = draft.account(posting.credit);
  if (!debit || !credit) return { refused: accountNotFound() };
  if (reference !== undefined && draft.isUsed(category ?? null, reference)) {
    return { refused: new ReferenceAlreadyUsedError(category ?? null, reference) };
  }
  const refused = refuseFunds(debit, amount) ?? refuseMove(debit, credit, amount);
  if (refused) return { refused };
  return { posted: draft.move({ kind, debit, credit, amount, note: posting }, by) };
}

/** The mirror of a transfer. Whoever received the money gives it back, if it is still there. */
export function decideReversal(
  draft: Draft,
  { transferId }: ReversalPosting,
  by: RequestContext,
  onlyOwner: string | undefined,
): PostingOutcome {
  const transfer = draft.transferOf(transferId);
  if (!transfer || (onlyOwner !== undefined && !isOf(onlyOwner, transfer.credit))) {
    return { refused: transferNotFound() };
  }
  if (transfer.reverses !== null) return { refused: new ReversalNotReversibleError() };
  if (draft.isReversed(transfer.id)) return { refused: new AlreadyReversedError() };
  const debit = draft.account(transfer.credit);
  const credit = draft.account(transfer.debit);
  if (!debit || !credit) return { refused: accountNotFound() };
  const { amount } = transfer;
  const refused = refuseFunds(debit, amount) ?? refuseMove(debit, credit, amount);
  if (refused) return { refused };
  return { posted: draft.move({ kind: 'REVERSAL', debit, credit, amount, reverses: transfer.id }, by) };
}

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

function isOf(owner: string, account: { readonly kind: string; readonly owner: string }): boolean {
  return account.kind === 'user' && account.owner === owner;
}
