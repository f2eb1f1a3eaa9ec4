import { ForbiddenError, type RequestContext } from '../../platform/auth/index.js';
import { decideWithShortfall } from './decide-debt.js';
import type { Draft } from './draft.js';
import {
  accountNotFound,
  AlreadyReversedError,
  ReferenceAlreadyUsedError,
  ReversalNotReversibleError,
  transferNotFound,
} from './ledger.errors.js';
import type { PostingOutcome, ReversalPosting, TransferPosting } from './posting.js';
import { refuseFunds, refuseMove } from './refusals.js';

/** @param posting has passed `checkPosting` */
export function decideTransfer(draft: Draft, posting: TransferPosting, by: RequestContext): PostingOutcome {
  const { kind, amount, category, reference } = posting;
  const debit = draft.account(posting.debit);
  const credit = draft.account(posting.credit);
  if (!debit || !credit) return { refused: accountNotFound() };
  if (reference !== undefined && draft.isUsed(category ?? null, reference)) {
    return { refused: new ReferenceAlreadyUsedError(category ?? null, reference) };
  }
  if (posting.shortfall === 'debt') return decideWithShortfall(draft, posting, debit, credit, by);
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
  if (transfer.debit.kind === 'debt' || transfer.credit.kind === 'debt') {
    return { refused: new ForbiddenError('What a user owes and has repaid is not reversed.') };
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

function isOf(owner: string, account: { readonly kind: string; readonly owner: string }): boolean {
  return account.kind === 'user' && account.owner === owner;
}
