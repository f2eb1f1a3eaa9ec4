import type { Currency } from '../../kernel/currency.js';
import type { Money } from '../../kernel/money.js';
import type { AccountId } from './ids.js';

/**
 * `user` accounts belong to customers and are opened by the API; `system` accounts open themselves. A `debt` account
 * belongs to the user account of the same owner and currency: what that one lacked when money had to leave it all the same
 * is below zero here. Only the ledger itself posts to it.
 */
export type AccountKind = 'user' | 'system' | 'debt';

/** Names an account. One owner has at most one account of a kind in a currency. */
export interface AccountKey {
  readonly kind: AccountKind;
  /** 1 to 255 characters. */
  readonly owner: string;
  readonly currency: Currency;
}

/** An account key and the id behind it, which never changes. */
export interface AccountRef extends AccountKey {
  readonly id: AccountId;
}

/** `FROZEN`: nothing moves in or out; holds may still be voided or expire. */
export type AccountStatus = 'OPEN' | 'FROZEN';

/** An account as it was at one moment. */
export interface LedgerAccount extends AccountKey {
  readonly id: AccountId;
  readonly balance: Money;
  /** Part of the balance that active holds reserve. */
  readonly held: Money;
  /** What may be debited: balance − held, and less what is owed where the owner has not repaid it yet. */
  readonly available: Money;
  /** What the owner owes, zero or more; the next money to become available repays it. */
  readonly debt: Money;
  readonly allowNegative: boolean;
  readonly status: AccountStatus;
  /** Of its last entry; 0 before the first. */
  readonly sequence: number;
  readonly createdAt: Date;
  /** The database's time of the read; what is on its way then may be booked with an earlier one. */
  readonly asOf: Date;
}

/** What an account held at a past moment. */
export interface BalanceAt {
  readonly balance: Money;
  readonly held: Money;
  /** As in `LedgerAccount`. */
  readonly available: Money;
  readonly debt: Money;
  /** The moment asked for. */
  readonly asOf: Date;
}

/** Where money comes from, goes to and waits. `external` is the world outside: it is what all users own, below zero. */
export const SYSTEM_OWNERS = ['external', 'fees', 'disputes', 'suspense', 'refunds_in_transit'] as const;

/** What a payment provider holds for us, by provider and mode: with its balance there it is zero. */
type ClearingOwner = `clearing:${string}:${'test' | 'live'}`;

export type SystemOwner = (typeof SYSTEM_OWNERS)[number] | ClearingOwner;

/** The key of a system account; it opens itself with its first posting. */
export function systemAccount(owner: SystemOwner, currency: Currency): AccountKey {
  return { kind: 'system', owner, currency };
}

/** The key of a user's account. */
export function userAccount(owner: string, currency: Currency): AccountKey {
  return { kind: 'user', owner, currency };
}

/** The key of the account that says what a user owes. */
export function debtAccount({ owner, currency }: AccountKey): AccountKey {
  return { kind: 'debt', owner, currency };
}

/** One text for each account: the key of maps. Currencies have three letters, so no two accounts share one. */
export function accountName({ kind, owner, currency }: AccountKey): string {
  return `${kind.charAt(0)}${currency}${owner}`;
}

export function isSystemOwner(owner: string): owner is SystemOwner {
  return SYSTEM_OWNERS.some((each) => each === owner) || /^clearing:[a-z]+:(?:test|live)$/.test(owner);
}
