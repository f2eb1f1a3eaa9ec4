import type { AppError } from '../../kernel/app-error.js';
import { MAX_AMOUNT, Money } from '../../kernel/money.js';
import { ForbiddenError, type RequestContext } from '../../platform/auth/index.js';
import type { Draft } from './draft.js';
import {
  AccountFrozenError,
  accountNotFound,
  BalanceOverflowError,
  CaptureExceedsHoldError,
  HoldAlreadyResolvedError,
  HoldExpiredError,
  holdNotFound,
} from './ledger.errors.js';
import type { BookedHold } from './ledger-state.js';
import type { HoldPosting, HoldResolution, PostingOutcome } from './posting.js';
import { refuseFunds, refuseMove } from './refusals.js';

/**
 * What has expired is available from that moment on, to whatever is decided next, however long ago it was and whether or
 * not the sweep has come by. No refusal of a batch takes it back.
 */
export function expireDue(draft: Draft): readonly BookedHold[] {
  return draft.due.map((hold) => {
    const account = draft.account(hold.account);
    if (!account) throw new TypeError('A hold is due whose account is not loaded');
    return draft.resolve(hold, account, {
      status: 'EXPIRED',
      captured: null,
      transferId: null,
      resolvedAt: hold.expiresAt,
    });
  });
}

/** @param posting has passed `checkPosting` */
export function decideHold(draft: Draft, posting: HoldPosting, by: RequestContext): PostingOutcome {
  const account = draft.account(posting.account);
  const credit = draft.account(posting.credit);
  if (!account || !credit) return { refused: accountNotFound() };
  const { amount, description, expiresInSeconds } = posting;
  const refused = refuseFunds(account, amount);
  if (refused) return { refused };
  if (account.frozen || credit.frozen) return { refused: new AccountFrozenError() };
  // An account that may go below zero has no balance to bound what is held of it.
  if (account.held + amount.minor > MAX_AMOUNT) return { refused: new BalanceOverflowError() };
  const held = draft.place(account, {
    credit: credit.ref,
    amount,
    captured: null,
    status: 'ACTIVE',
    description: description ?? null,
    placedBy: by.actor,
    requestId: by.requestId ?? null,
    expiresAt: new Date(draft.now.getTime() + expiresInSeconds * 1000),
    transferId: null,
    resolvedAt: null,
  });
  return { held };
}

/** Captures or voids a hold. It is resolved once, and not once its time is over. */
export function decideResolution(
  draft: Draft,
  posting: HoldResolution,
  by: RequestContext,
  onlyOwner: string | undefined,
): PostingOutcome {
  const hold = draft.holdOf(posting.holdId);
  if (!hold || (onlyOwner !== undefined && (hold.account.kind !== 'user' || hold.account.owner !== onlyOwner))) {
    return { refused: holdNotFound() };
  }
  if (onlyOwner !== undefined && hold.placedBy !== by.actor) {
    return { refused: new ForbiddenError('Somebody else placed this hold; it is theirs to resolve.') };
  }
  const refused = refuseEnd(hold);
  if (refused) return { refused };
  const account = draft.account(hold.account);
  if (!account) return { refused: accountNotFound() };
  if (posting.type === 'capture') return capture(draft, hold, posting.amount, by);
  const end = { status: 'VOIDED', captured: null, transferId: null, resolvedAt: draft.now } as const;
  return { held: draft.resolve(hold, account, end) };
}

function capture(draft: Draft, hold: BookedHold, part: bigint | undefined, by: RequestContext): PostingOutcome {
  const debit = draft.account(hold.account);
  const credit = draft.account(hold.credit);
  if (!debit || !credit) return { refused: accountNotFound() };
  const { minor: held, currency } = hold.amount;
  const amount = part === undefined ? hold.amount : Money.of(part, currency);
  if (amount.minor > held) return { refused: new CaptureExceedsHoldError(held) };
  const refused = refuseMove(debit, credit, amount);
  if (refused) return { refused };
  const note = hold.description === null ? {} : { description: hold.description };
  const transfer = draft.move({ kind: 'CAPTURE', debit, credit, amount, note, holdId: hold.id }, by);
  const end = { status: 'CAPTURED', captured: amount, transferId: transfer.id, resolvedAt: draft.now } as const;
  return { held: draft.resolve(hold, debit, end), transfer };
}

function refuseEnd({ status, expiresAt }: BookedHold): AppError | undefined {
  if (status === 'EXPIRED') return new HoldExpiredError(expiresAt);
  return status === 'ACTIVE' ? undefined : new HoldAlreadyResolvedError(status);
}
