import { Check, Column, Entity, PrimaryColumn } from 'typeorm';
import type { RuleAction, RuleKind, RuleMode, RuleShape, RuleSubject } from './fraud-rule.js';

/** A rule that payments are held against before they are sent to a provider. */
@Entity('fraud_rules')
@Check(
  'fraud_rules_kind_check',
  `"kind" IN ('amount', 'count', 'sum', 'failed_attempts', 'disputes', 'distinct_cards', 'new_account', 'country_mismatch', 'list')`,
)
@Check('fraud_rules_action_check', `"action" IN ('block', 'allow', 'decline', 'review')`)
@Check('fraud_rules_mode_check', `"mode" IN ('active', 'shadow', 'off')`)
@Check('fraud_rules_subject_check', `"subject" IN ('user', 'ip', 'card', 'email', 'device', 'country')`)
@Check('fraud_rules_window_check', `"window_seconds" > 0`)
@Check('fraud_rules_limit_check', `"upper_limit" >= 0`)
export class FraudRule implements RuleShape {
  /** Version 7: their order is that of creation. */
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'fraud_rules_pkey' })
  id: string;

  /** For people. */
  @Column({ type: 'text' })
  name: string;

  @Column({ type: 'text' })
  kind: RuleKind;

  @Column({ type: 'text' })
  action: RuleAction;

  @Column({ type: 'text' })
  mode: RuleMode;

  @Column({ name: 'subject', type: 'text', nullable: true })
  by: RuleSubject | null;

  @Column({ name: 'window_seconds', type: 'integer', nullable: true })
  windowSeconds: number | null;

  /** A number, or minor units. */
  @Column({ name: 'upper_limit', type: 'bigint', nullable: true })
  limit: string | null;

  @Column({ type: 'text', nullable: true })
  currency: string | null;

  @Column({ name: 'list_values', type: 'text', array: true, nullable: true })
  values: string[] | null;

  /** The actor. */
  @Column({ name: 'created_by', type: 'text' })
  createdBy: string;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt: Date;
}
