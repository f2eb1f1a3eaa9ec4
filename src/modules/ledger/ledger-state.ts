import type { AccountKey, AccountRef } from './account.js';
import type { Hold } from './hold.js';
import type { PostedTransfer } from './transfer.js';

/**
 * What the decision must know of an account. Amounts are minor units of its currency, not `Money`: they change with every
 * posting of a batch, and each change would be an object.
 */
export interface AccountState {
  readonly ref: AccountRef;
  readonly balance: bigint;
  readonly held: bigint;
  /** Of the last entry, 0 before the first. */
  readonly sequence: number;
  readonly allowNegative: boolean;
  readonly frozen: boolean;
  /** Whether a debt account belongs to it, which may be paid off. */
  readonly isDebtor: boolean;
}

/** A transfer whose accounts are known by id. */
export interface BookedTransfer extends PostedTransfer {
  readonly debit: AccountRef;
  readonly credit: AccountRef;
  /** Who asked for it, and with which request. */
  readonly actor: string;
  readonly requestId: string | null;
}

/** A hold whose accounts are known by id. */
export interface BookedHold extends Hold {
  readonly account: AccountRef;
  readonly credit: AccountRef;
  readonly requestId: string | null;
}

/** All that the postings of a batch touch, as it is under their locks. */
export interface LedgerState {
  /** The database's, read under the locks; whole milliseconds; never before an entry of one of the accounts. */
  readonly now: Date;
  /** By `accountName`; what is missing does not exist. */
  readonly accounts: ReadonlyMap<string, AccountState>;
  /** The keys of those that are debtors; their debt accounts are among the accounts. */
  readonly debtors: readonly AccountKey[];
  /** By id: those to be resolved. */
  readonly holds: ReadonlyMap<string, BookedHold>;
  /** Every active hold of these accounts whose time is over by `now`, the longest overdue first. */
  readonly due: readonly BookedHold[];
  /** By id: those to be reversed. */
  readonly transfers: ReadonlyMap<string, BookedTransfer>;
  /** Ids of transfers among them that have been reversed. */
  readonly reversed: ReadonlySet<string>;
  /** Of the references asked for, those used before; see `referenceName`. */
  readonly references: ReadonlySet<string>;
}

/** What postings touch, loaded and locked. */
export interface LoadedLedger {
  readonly state: LedgerState;
  /** Accounts the directory did not know: worth remembering once the transaction has committed. */
  readonly met: readonly AccountRef[];
  /** Of these, those that opened themselves on the way. */
  readonly opened: readonly AccountRef[];
}

/** One text for each pair. NUL occurs in neither. */
export function referenceName(category: string | null, reference: string): string {
  return `${category === null ? '' : `=${category}`}\0${reference}`;
}
