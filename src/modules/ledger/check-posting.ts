import { type AppError, ValidationError } from '../../kernel/app-error.js';
import { isCurrency } from '../../kernel/currency.js';
import { isStorableAsJsonb, stringifyExactJson } from '../../kernel/exact-json.js';
import { isUuid } from '../../kernel/ids.js';
import { MAX_AMOUNT, type Money } from '../../kernel/money.js';
import type { AccountKey } from './account.js';
import {
  accountNotFound,
  CurrencyMismatchError,
  holdNotFound,
  InvalidAmountError,
  SelfTransferError,
  transferNotFound,
  UnknownCurrencyError,
} from './ledger.errors.js';
import type { Posting, TransferNote, TransferPosting } from './posting.js';

const MAX_OWNER_LENGTH = 255;

/** Ten years: what is held longer is not held but gone. */
const MAX_HOLD_SECONDS = 10 * 366 * 86_400;

/**
 * What is wrong with a posting whatever the accounts hold: found before anything is locked or read.
 *
 * @param onlyOwner see `PostingRequest`
 * @returns why it is refused, undefined when the state decides
 */
export function checkPosting(posting: Posting, onlyOwner?: string): AppError | undefined {
  switch (posting.type) {
    case 'transfer':
      return (
        checkMove(posting.debit, posting.credit, posting.amount, onlyOwner) ??
        checkShortfall(posting, onlyOwner) ??
        (posting.metadata || posting.reference !== undefined || posting.category !== undefined
          ? checkNote(posting)
          : checkText(posting.description))
      );
    case 'hold':
      return (
        checkMove(posting.account, posting.credit, posting.amount, onlyOwner) ??
        checkTerm(posting.expiresInSeconds) ??
        checkText(posting.description)
      );
    case 'capture':
      if (posting.amount !== undefined && !isAmount(posting.amount)) return new InvalidAmountError();
      return isUuid(posting.holdId) ? undefined : holdNotFound();
    case 'void':
      return isUuid(posting.holdId) ? undefined : holdNotFound();
    case 'reverse':
      return isUuid(posting.transferId) ? undefined : transferNotFound();
  }
}

/** False for an owner that no account can have; PostgreSQL would refuse the text. */
export function isOwner(owner: string): boolean {
  return owner.length > 0 && owner.length <= MAX_OWNER_LENGTH && !owner.includes('\0');
}

function checkMove(debit: AccountKey, credit: AccountKey, amount: Money, onlyOwner?: string): AppError | undefined {
  if (!isAmount(amount.minor)) return new InvalidAmountError();
  // Whatever the types say: an account stays when its currency leaves the list.
  if (!isCurrency(debit.currency) || !isCurrency(credit.currency)) return new UnknownCurrencyError();
  if (debit.currency !== amount.currency || credit.currency !== amount.currency) return new CurrencyMismatchError();
  if (debit.owner === credit.owner && debit.kind === credit.kind) return new SelfTransferError();
  // It is the ledger's own: nobody posts to a debt, or out of one.
  if (debit.kind === 'debt' || credit.kind === 'debt') return accountNotFound();
  if (onlyOwner !== undefined && (debit.kind !== 'user' || debit.owner !== onlyOwner)) return accountNotFound();
  return isOwner(debit.owner) && isOwner(credit.owner) ? undefined : accountNotFound();
}

/** Only a user owes; and what is lent to them must not become what another user can spend. */
function checkShortfall({ shortfall, debit, credit }: TransferPosting, onlyOwner?: string): AppError | undefined {
  if (shortfall === undefined) return undefined;
  if (debit.kind === 'user' && credit.kind === 'system' && onlyOwner === undefined) return undefined;
  return ValidationError.of([
    { path: 'shortfall', message: 'only what a service takes from a user to a system account may become debt' },
  ]);
}

function isAmount(minor: bigint): boolean {
  return minor > 0n && minor <= MAX_AMOUNT;
}

function checkTerm(seconds: number): AppError | undefined {
  if (Number.isInteger(seconds) && seconds > 0 && seconds <= MAX_HOLD_SECONDS) return undefined;
  return ValidationError.of([
    { path: 'expiresInSeconds', message: `expiresInSeconds must be an integer from 1 to ${MAX_HOLD_SECONDS}` },
  ]);
}

function checkNote({ description, category, reference, metadata }: TransferNote): AppError | undefined {
  if (metadata && !isStorableAsJsonb(stringifyExactJson(metadata))) {
    return ValidationError.of([{ path: 'metadata', message: 'metadata must be JSON that PostgreSQL can store' }]);
  }
  return checkText(description) ?? checkText(category) ?? checkText(reference);
}

/** One such text would fail the whole batch. */
function checkText(text: string | undefined): AppError | undefined {
  if (text === undefined || !text.includes('\0')) return undefined;
  return ValidationError.of([{ path: 'description', message: 'texts must not contain U+0000' }]);
}
