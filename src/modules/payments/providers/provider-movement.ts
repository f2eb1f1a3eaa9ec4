import type { Money } from '../../../kernel/money.js';
import type { PaymentId } from '../payment.js';

/**
 * `reinstatement`: the money of a dispute that comes back. `fee`: what the provider takes for itself, apart from the fee of a
 * movement. `other`: payouts, top-ups and whatever else is no payment.
 */
export const MOVEMENT_KINDS = ['charge', 'refund', 'dispute', 'reinstatement', 'fee', 'other'] as const;
export type MovementKind = (typeof MOVEMENT_KINDS)[number];

/** One change of our balance at a provider. */
export interface Movement {
  /** The provider's, unique in its account; the same whenever it is listed. Of a dispute it is the `key` in the report of that. */
  readonly id: string;
  readonly kind: MovementKind;
  /** The provider's id of what moved the money: of the charge, the refund, the dispute. */
  readonly object: string | null;
  /** The provider's id of the charge that it is about, as a payment's `providerReference` has it. */
  readonly charge: string | null;
  /** Ours, where the object carries it. */
  readonly payment: PaymentId | null;
  /** Ours, where the object carries it. */
  readonly refund: string | null;
  /** As the balance changed: below zero for what leaves it. In the currency of the charge. */
  readonly amount: Money;
  /** What the provider kept of it; in the currency of the balance. */
  readonly fee: Money;
  readonly createdAt: Date;
  /** It takes back an earlier movement of the same object: a refund that the bank sent back. */
  readonly isReversal: boolean;
  /** Its object is under way: it may yet come to nothing. */
  readonly isPending: boolean;
  /** Its object has come to nothing: another movement takes it back. */
  readonly isUndone: boolean;
  /** It can be paid out. */
  readonly isAvailable: boolean;
}

/** From `from` on, before `to`, by the provider's time of each movement; both whole seconds. */
export interface MovementWindow {
  readonly from: Date;
  readonly to: Date;
  /** Ends the asking. */
  readonly signal: AbortSignal;
}
