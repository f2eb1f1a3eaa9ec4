/** `queued`: nobody has begun. `failed`: the provider would not tell, or could not be asked for long; `error` says why. */
export const RECONCILIATION_STATUSES = ['queued', 'running', 'completed', 'failed'] as const;
export type ReconciliationStatus = (typeof RECONCILIATION_STATUSES)[number];

/** What a run is at. It goes through them in this order, and after a crash on with the one it was at. */
export const RECONCILIATION_STEPS = ['collecting', 'comparing', 'healing', 'ledger', 'concluding'] as const;
export type ReconciliationStep = (typeof RECONCILIATION_STEPS)[number];

/**
 * In what two sides differ. `missing_here`: the provider moved money that the books do not have. `missing_there`: the books have
 * money that the provider does not know of. `status`: both know the object, and one of them has not moved its money.
 */
export const OPEN_KINDS = ['missing_here', 'missing_there', 'amount', 'currency', 'status'] as const;
export type OpenKind = (typeof OPEN_KINDS)[number];

/** `in_transit`: announced on one side, and under way. `foreign`: of somebody else in the same account. Neither has to be mended. */
export const DIFFERENCE_KINDS = [...OPEN_KINDS, 'in_transit', 'foreign'] as const;
export type DifferenceKind = (typeof DIFFERENCE_KINDS)[number];

/**
 * What has become of a difference. `healed`: mended by the run that found it. `resolved`: a later run found it gone. `superseded`: a
 * later run found it again, and its report has it now. `noted`: nothing to do.
 */
export const DIFFERENCE_STATES = ['open', 'healed', 'resolved', 'superseded', 'noted'] as const;
export type DifferenceState = (typeof DIFFERENCE_STATES)[number];

/**
 * What comparing a movement came to. `nothing`: its money came and went again, and the books have neither. `elsewhere`: of the
 * ledger's side, and the provider knows it, outside of the window; or it is one loss with another movement, which is booked.
 * `uncompared`: no payment's.
 */
export type Outcome = 'matched' | 'healed' | 'nothing' | 'elsewhere' | 'uncompared' | DifferenceKind;

/** How many movements came to what. */
export interface ReconciliationCounts {
  readonly movements: number;
  readonly matched: number;
  readonly healed: number;
  readonly missingHere: number;
  readonly missingThere: number;
  readonly amount: number;
  readonly currency: number;
  readonly status: number;
  readonly inTransit: number;
  readonly foreign: number;
}

/** What moved at the provider on a day, by its own list. Amounts are minor units. */
export interface ReconciliationTotal {
  /** UTC. */
  readonly day: string;
  readonly currency: string;
  readonly kind: string;
  readonly count: number;
  readonly amount: number;
}

export interface ReconciliationFees {
  readonly day: string;
  readonly currency: string;
  readonly amount: number;
}

/** Wallet against provider: the movements that are ours on both sides. With the clearing account the provider's is zero. */
export interface ReconciliationBalance {
  readonly currency: string;
  /** What moved at the provider, without what is in transit and what is not ours. */
  readonly provider: number;
  /** What moved on the clearing account for it. */
  readonly clearing: number;
  /** Moved at the provider, not booked here, and under way. */
  readonly inTransit: number;
  /** Of `provider`, what cannot be paid out yet. */
  readonly unavailable: number;
  /** `provider` and `clearing` together: zero when all is well. */
  readonly difference: number;
}

/** What a completed run found. */
export interface ReconciliationReport {
  readonly counts: ReconciliationCounts;
  readonly totals: readonly ReconciliationTotal[];
  readonly fees: readonly ReconciliationFees[];
  readonly balances: readonly ReconciliationBalance[];
}
