import type { Money } from '../../../kernel/money.js';

/**
 * Where a dispute stands. `inquiry`: the bank asks, and no money has moved. `open`: the money is claimed. `closed`: over without a
 * winner, as an inquiry that nobody followed up.
 */
export const DISPUTE_STATUSES = ['inquiry', 'open', 'won', 'lost', 'closed'] as const;
export type DisputeStatus = (typeof DISPUTE_STATUSES)[number];

export type DisputeMovementKind = 'withdrawn' | 'reinstated';

/** Money that moved at the provider because of a dispute. */
export interface DisputeMovementReport {
  /** The id of the provider's movement: it is booked once, and found again when the provider's list is compared with the books. */
  readonly key: string;
  readonly kind: DisputeMovementKind;
  /** Greater than zero. Without the provider's fees, which are not the user's. */
  readonly amount: Money;
}

/** What a provider says of a dispute at one moment. */
export interface DisputeReport {
  /** The provider's id of it. */
  readonly reference: string;
  readonly status: DisputeStatus;
  /** The provider's own word, also one that nobody here knows. */
  readonly providerStatus: string;
  readonly reason: string | undefined;
  /** What is disputed. */
  readonly amount: Money;
  readonly openedAt: Date | undefined;
  /** All of them up to that moment. */
  readonly movements: readonly DisputeMovementReport[];
  /** The provider's id of the refund by which the lost money goes: where that is booked, the dispute moves nothing more. */
  readonly paidBy?: string;
}

/** How far a status is on its way; the last three are the end of it. */
const RANKS: Readonly<Record<DisputeStatus, number>> = { inquiry: 1, open: 2, closed: 3, won: 3, lost: 3 };

/**
 * Whether news that say no order may be taken at their word: those that lead on. What goes back, an appeal after a loss for example,
 * may as well be late, so the provider is asked instead.
 */
export function leadsOn(from: DisputeStatus, to: DisputeStatus): boolean {
  return RANKS[to] > RANKS[from];
}

export function isDecided(status: DisputeStatus): boolean {
  return RANKS[status] === 3;
}

/** Where disputes leave a payment; minor units. */
export interface DisputeSums {
  /** What they took and did not give back. */
  readonly taken: bigint;
  /** What open ones claim and have not taken. */
  readonly claimed: bigint;
  /** How many are open. */
  readonly open: number;
}

export const NOTHING_DISPUTED: DisputeSums = { taken: 0n, claimed: 0n, open: 0 };
