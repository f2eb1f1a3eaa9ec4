import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** How far the hours of `payment_hours` go: one row, made by the migration. Whoever adds hours has locked it. */
@Entity('payment_hours_progress')
@Check('payment_hours_progress_one_check', `"one"`)
export class PaymentHoursProgress {
  @PrimaryColumn({ type: 'boolean', default: true, primaryKeyConstraintName: 'payment_hours_progress_pkey' })
  one: boolean;

  /** All hours before it are there; null before the first. */
  @Column({ name: 'final_to', type: 'timestamptz', nullable: true })
  finalTo: Date | null;
}
