import type { Money } from '../../../kernel/money.js';
import type { Movement } from '../providers/provider-movement.js';
import type { Outcome } from './reconciliation.js';

/** Who a movement belongs to here. */
export interface Owner {
  readonly payment: string | null;
  readonly refund: string | null;
  readonly dispute: string | null;
}

/** What comparing needs of a movement. */
export type Compared = Pick<Movement, 'id' | 'kind' | 'amount' | 'isReversal' | 'isPending' | 'isUndone'> & {
  /** The object carries an id of ours. */
  readonly isClaimed: boolean;
};

type Posted = Pick<Compared, 'id' | 'kind' | 'isReversal'>;

/**
 * Under which reference the ledger has a movement; see `PaymentBooks`.
 *
 * @returns null for what is never booked, or by something that nobody here knows
 */
export function referenceOf({ id, kind, isReversal }: Posted, of: Owner): string | null {
  switch (kind) {
    case 'charge':
      return of.payment === null || isReversal ? null : `settle:${of.payment}`;
    case 'refund':
      return of.refund === null ? null : `${isReversal ? 'refund-returned' : 'refund-paid'}:${of.refund}`;
    case 'dispute':
    case 'reinstatement':
      return of.dispute === null ? null : `dispute:${of.dispute}:${id}`;
    case 'fee':
    case 'other':
      return null;
  }
}

/** What a posting is of, by our id of it; `key` is the provider's id of the movement of a dispute. */
export type PostingOwner =
  | { readonly kind: 'charge' | 'refund'; readonly id: string }
  | { readonly kind: 'dispute'; readonly id: string; readonly key: string };

/** Of which payment, refund or dispute a reference tells; undefined for other postings. */
export function ownerOf(reference: string): PostingOwner | undefined {
  const [, disputed = '', key = ''] = /^dispute:([0-9a-f-]{36}):(.+)$/.exec(reference) ?? [];
  if (disputed !== '') return { kind: 'dispute', id: disputed, key };
  const [, what = '', id = ''] = /^(settle|refund-paid|refund-returned):([0-9a-f-]{36})$/.exec(reference) ?? [];
  return id === '' ? undefined : { kind: what === 'settle' ? 'charge' : 'refund', id };
}

/** Under which reference the ledger has what a reversal takes back; null for what is none. */
export function takenBackBy(movement: Posted, of: Owner): string | null {
  return movement.isReversal ? referenceOf({ ...movement, isReversal: false }, of) : null;
}

/** What the clearing account has. */
export interface Booked {
  /** For the movement itself; undefined when nothing was posted. */
  readonly own: Money | undefined;
  /** Whether it has what the movement takes back. */
  readonly hasTakenBack: boolean;
}

/** Compares one movement with what the clearing account has for it. */
export function compare(movement: Compared, owner: Owner, { own, hasTakenBack }: Booked): Outcome {
  const { kind, amount, isReversal, isPending, isUndone, isClaimed } = movement;
  if (kind === 'fee' || kind === 'other') return 'uncompared';
  if (own !== undefined) {
    if (own.currency !== amount.currency) return 'currency';
    // The account is the provider's mirror.
    return own.minor === -amount.minor ? 'matched' : 'amount';
  }
  if (owner.payment === null) return isClaimed ? 'missing_here' : 'foreign';
  // Of a pair at the provider the books have neither.
  if (isReversal ? !hasTakenBack : isUndone) return 'nothing';
  if (isPending) return 'in_transit';
  return referenceOf(movement, owner) === null ? 'missing_here' : 'status';
}
