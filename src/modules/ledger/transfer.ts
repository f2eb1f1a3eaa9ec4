import { Money } from '../../kernel/money.js';
import type { AccountKey } from './account.js';
import type { HoldId, TransferId } from './ids.js';

export type TransferKind = 'CREDIT' | 'DEBIT' | 'TRANSFER' | 'CAPTURE' | 'REVERSAL';

/**
 * Money that moved: `amount` left `debit` and reached `credit`. It never changes; a reversal is a transfer of its own.
 *
 * Balances are minor units in the currency of the amount: as `Money` they would be two objects more for each transfer, made
 * where the ledger decides a thousand at once, and few are ever looked at.
 */
export interface PostedTransfer {
  readonly id: TransferId;
  readonly kind: TransferKind;
  readonly debit: AccountKey;
  readonly credit: AccountKey;
  /** Greater than zero. */
  readonly amount: Money;
  readonly category: string | null;
  readonly reference: string | null;
  readonly description: string | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  /** Id of the transfer this one takes back. */
  readonly reverses: TransferId | null;
  /** Id of the hold this one captured. */
  readonly holdId: HoldId | null;
  readonly createdAt: Date;
  readonly debitBalanceAfter: bigint;
  readonly debitSequence: number;
  readonly creditBalanceAfter: bigint;
  readonly creditSequence: number;
}

/** A transfer as one of its two accounts sees it. */
export interface StatementLine {
  readonly transfer: PostedTransfer;
  /** Below zero when the money left. */
  readonly amount: Money;
  readonly balanceAfter: Money;
  readonly sequence: number;
  readonly counterparty: AccountKey;
}

/** @param key one of its two accounts */
export function statementLine(transfer: PostedTransfer, { kind, owner }: AccountKey): StatementLine {
  const { debit, credit, amount } = transfer;
  return debit.kind === kind && debit.owner === owner
    ? {
        transfer,
        amount: amount.negate(),
        balanceAfter: Money.of(transfer.debitBalanceAfter, amount.currency),
        sequence: transfer.debitSequence,
        counterparty: credit,
      }
    : {
        transfer,
        amount,
        balanceAfter: Money.of(transfer.creditBalanceAfter, amount.currency),
        sequence: transfer.creditSequence,
        counterparty: debit,
      };
}
