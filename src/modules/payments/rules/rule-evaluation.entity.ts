import { Check, Column, Entity, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import type { PaymentId } from '../payment.js';
import { Payment } from '../payment.entity.js';
import type { EvaluationOutcome, RuleAction, RuleKind, RuleMode } from './fraud-rule.js';

/**
 * What a rule made of a payment when that was created; rows are inserted and never changed. The rule is copied as it was: it may
 * be changed or deleted since.
 */
@Entity('payment_rule_evaluations')
@Check('payment_rule_evaluations_outcome_check', `"outcome" IN ('matched', 'passed', 'skipped')`)
export class RuleEvaluation {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'payment_rule_evaluations_pkey' })
  payment: PaymentId;

  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'payment_rule_evaluations_pkey' })
  rule: string;

  @ManyToOne(() => Payment)
  @JoinColumn({ name: 'payment', foreignKeyConstraintName: 'payment_rule_evaluations_payment_fkey' })
  readonly of?: Payment;

  @Column({ type: 'text' })
  name: string;

  @Column({ type: 'text' })
  kind: RuleKind;

  @Column({ type: 'text' })
  action: RuleAction;

  @Column({ type: 'text' })
  mode: RuleMode;

  @Column({ type: 'text' })
  outcome: EvaluationOutcome;

  /** How many, how much in minor units, or how many seconds; null when skipped. */
  @Column({ type: 'bigint', nullable: true })
  figure: string | null;

  /** What it was compared with. */
  @Column({ type: 'bigint' })
  threshold: string;

  @Column({ type: 'timestamptz', default: () => 'clock_timestamp()' })
  at: Date;
}
