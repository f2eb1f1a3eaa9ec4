import { Check, Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { HoldStatus } from './hold.js';
import { LedgerTransferRow } from './ledger-transfer.entity.js';

/** A hold. Triggers move the sum held of its account with it and let it be resolved once; else it never changes. */
@Entity('ledger_holds')
@Check('ledger_holds_amount_check', 'amount BETWEEN 1 AND 9007199254740991')
@Check('ledger_holds_accounts_check', 'account <> credit_account')
@Check('ledger_holds_captured_check', 'captured BETWEEN 1 AND amount')
@Check(
  'ledger_holds_status_check',
  `CASE status WHEN 'ACTIVE' THEN resolved_at IS NULL AND captured IS NULL AND transfer IS NULL WHEN 'CAPTURED' THEN resolved_at < expires_at AND captured IS NOT NULL AND transfer IS NOT NULL WHEN 'VOIDED' THEN resolved_at < expires_at AND captured IS NULL AND transfer IS NULL WHEN 'EXPIRED' THEN resolved_at >= expires_at AND captured IS NULL AND transfer IS NULL ELSE false END`,
)
@Index('ledger_holds_account_idx', ['account', 'createdAt'])
@Index('ledger_holds_active_idx', ['account', 'expiresAt'], { where: `status = 'ACTIVE'` })
@Index('ledger_holds_expiry_idx', ['expiresAt'], { where: `status = 'ACTIVE'` })
export class LedgerHoldRow {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'ledger_holds_pkey' })
  id: string;

  @Column({ type: 'uuid' })
  account: string;

  @Column({ name: 'credit_account', type: 'uuid' })
  creditAccount: string;

  @Column({ type: 'bigint' })
  amount: string;

  @Column({ type: 'bigint', nullable: true })
  captured: string | null;

  @Column({ name: 'expires_at', type: 'timestamptz' })
  expiresAt: Date;

  @Column({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;

  @Column({ name: 'resolved_at', type: 'timestamptz', nullable: true })
  resolvedAt: Date | null;

  @Column({ type: 'uuid', nullable: true })
  transfer: string | null;

  /** Deferred: the hold must be released before its capture is posted, or its account would be short for a moment. */
  @ManyToOne(() => LedgerTransferRow, { deferrable: 'INITIALLY DEFERRED' })
  @JoinColumn({ name: 'transfer', foreignKeyConstraintName: 'ledger_holds_transfer_fkey' })
  readonly capture?: LedgerTransferRow;

  @Column({ type: 'text', collation: 'C' })
  currency: string;

  @Column({ type: 'text', default: 'ACTIVE' })
  status: HoldStatus;

  @Column({ name: 'placed_by', type: 'text' })
  placedBy: string;

  @Column({ name: 'request_id', type: 'text', nullable: true })
  requestId: string | null;

  @Column({ type: 'text', nullable: true })
  description: string | null;
}
