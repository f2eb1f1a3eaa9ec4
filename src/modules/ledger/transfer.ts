import type { AccountKey } from './account.js';

export type TransferKind = 'CREDIT' | 'DEBIT' | 'TRANSFER' | 'CAPTURE' | 'REVERSAL';

/** Money that moved: `amount` left `debit` and reached `credit`. It never changes; a reversal is a transfer of its own. */
export interface PostedTransfer {
  readonly id: string;
  readonly kind: TransferKind;
  readonly debit: AccountKey;
  readonly credit: AccountKey;
  /** Minor units, greater than zero. */
  readonly amount: bigint;
  readonly currency: string;
  readonly category: string | null;
  readonly reference: string | null;
  readonly description: string | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  /** Id of the transfer this one takes back. */
  readonly reverses: string | null;
  /** Id of the hold this one captured. */
  readonly holdId: string | null;
  readonly createdAt: Date;
  readonly debitBalanceAfter: bigint;
  readonly debitSequence: number;
  readonly creditBalanceAfter: bigint;
  readonly creditSequence: number;
}

/** A transfer as one of its two accounts sees it. */
export interface StatementLine {
  readonly transfer: PostedTransfer;
  /** Minor units; below zero when the money left. */
  readonly amount: bigint;
  readonly balanceAfter: bigint;
  readonly sequence: number;
  readonly counterparty: AccountKey;
}

/** @param key one of its two accounts */
export function statementLine(transfer: PostedTransfer, { kind, owner }: AccountKey): StatementLine {
  const { debit, credit, amount } = transfer;
  return debit.kind === kind && debit.owner === owner
    ? {
        transfer,
        amount: -amount,
        balanceAfter: transfer.debitBalanceAfter,
        sequence: transfer.debitSequence,
        counterparty: credit,
      }
    : {
        transfer,
        amount,
        balanceAfter: transfer.creditBalanceAfter,
        sequence: transfer.creditSequence,
        counterparty: debit,
      };
}
