import type { Money } from '../../kernel/money.js';
import type { AccountKey } from './account.js';
import type { HoldId, TransferId } from './ids.js';

export type HoldStatus = 'ACTIVE' | 'CAPTURED' | 'VOIDED' | 'EXPIRED';

/** Money reserved on an account until it is captured, voided or expires; exactly one of the three happens. */
export interface Hold {
  readonly id: HoldId;
  readonly account: AccountKey;
  /** Who is paid when it is captured. */
  readonly credit: AccountKey;
  /** Greater than zero. */
  readonly amount: Money;
  /** What was paid out of it; null unless captured. */
  readonly captured: Money | null;
  readonly status: HoldStatus;
  readonly description: string | null;
  /** The actor who asked for it; see `RequestContext`. */
  readonly placedBy: string;
  readonly expiresAt: Date;
  /** The transfer that captured it. */
  readonly transferId: TransferId | null;
  readonly createdAt: Date;
  /** Of an expired hold, `expiresAt`. */
  readonly resolvedAt: Date | null;
}
