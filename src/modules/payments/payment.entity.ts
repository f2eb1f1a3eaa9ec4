import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import type {
  CaptureMode,
  ChargeStatus,
  PaymentFailure,
  PaymentId,
  PaymentMode,
  PaymentProviderName,
} from './payment.js';

/** A charge at a provider on behalf of a user, and what became of it. */
@Entity('payments')
@Check('payments_provider_check', `"provider" IN ('stripe', 'paystack', 'sandbox')`)
@Check('payments_mode_check', `"mode" IN ('test', 'live')`)
@Check('payments_capture_check', `"capture" IN ('automatic', 'manual')`)
@Check(
  'payments_status_check',
  `"status" IN ('created', 'requires_action', 'processing', 'requires_capture', 'succeeded', 'failed', 'canceled', 'declined')`,
)
@Check('payments_amount_check', `"amount" BETWEEN 1 AND 9007199254740991`)
@Check('payments_settled_check', `num_nulls("settled_amount", "settled_currency", "settled_to") IN (0, 3)`)
@Check('payments_settled_to_check', `"settled_to" IN ('wallet', 'suspense')`)
@Check('payments_succeeded_check', `"status" <> 'succeeded' OR "settled_to" IS NOT NULL`)
@Index('payments_provider_reference_key', ['providerReference', 'provider', 'mode'], {
  unique: true,
  where: '"provider_reference" IS NOT NULL',
})
@Index('payments_user_id_idx', ['userId', 'id'])
@Index('payments_reference_idx', ['reference', 'userId'], { where: '"reference" IS NOT NULL' })
@Index('payments_status_idx', ['status', 'id'])
@Index('payments_review_idx', ['id'], { where: '"review" IS NOT NULL' })
@Index('payments_created_at_idx', ['createdAt'])
@Index('payments_user_created_idx', ['userId', 'createdAt'])
@Index('payments_ip_idx', ['ip', 'createdAt'], { where: '"ip" IS NOT NULL' })
@Index('payments_card_idx', ['cardFingerprint', 'createdAt'], { where: '"card_fingerprint" IS NOT NULL' })
@Index('payments_email_idx', ['email', 'createdAt'], { where: '"email" IS NOT NULL' })
@Index('payments_device_idx', ['deviceId', 'createdAt'], { where: '"device_id" IS NOT NULL' })
@Index('payments_next_check_at_idx', ['nextCheckAt'], { where: '"next_check_at" IS NOT NULL' })
export class Payment {
  /** Version 7; it travels to the provider and back, and says whose news an event brings. */
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'payments_pkey' })
  id: PaymentId;

  @Column({ name: 'user_id', type: 'text', collation: 'C' })
  userId: string;

  @Column({ type: 'text' })
  provider: PaymentProviderName;

  @Column({ type: 'text' })
  mode: PaymentMode;

  /** The provider's id of the charge; null until it has one that we know of. */
  @Column({ name: 'provider_reference', type: 'text', collation: 'C', nullable: true })
  providerReference: string | null;

  /** The caller's own name for what is paid: an order. A user pays one at a time. */
  @Column({ type: 'text', collation: 'C', nullable: true })
  reference: string | null;

  /** Minor units. */
  @Column({ type: 'bigint' })
  amount: string;

  @Column({ type: 'text', collation: 'C' })
  currency: string;

  @Column({ type: 'text' })
  capture: CaptureMode;

  @Column({ type: 'text' })
  status: ChargeStatus;

  /** What the provider received, as it was booked; minor units. */
  @Column({ name: 'settled_amount', type: 'bigint', nullable: true })
  settledAmount: string | null;

  @Column({ name: 'settled_currency', type: 'text', collation: 'C', nullable: true })
  settledCurrency: string | null;

  @Column({ name: 'settled_to', type: 'text', nullable: true })
  settledTo: 'wallet' | 'suspense' | null;

  /** Why somebody should look at it. */
  @Column({ type: 'text', nullable: true })
  review: string | null;

  /** What kind it is, for example `CREDIT_CARD`; for the caller. */
  @Column({ name: 'payment_method', type: 'text', nullable: true })
  paymentMethod: string | null;

  /** The provider's id of a means of payment; with it the charge is confirmed at once. */
  @Column({ name: 'provider_payment_method', type: 'text', nullable: true })
  providerPaymentMethod: string | null;

  @Column({ type: 'text', nullable: true })
  email: string | null;

  @Column({ type: 'text', nullable: true })
  description: string | null;

  @Column({ type: 'jsonb', nullable: true })
  metadata: Record<string, unknown> | null;

  /** Where the customer is, as far as somebody said so: for the rules. */
  @Column({ type: 'inet', nullable: true })
  ip: string | null;

  /** ISO 3166, two letters. */
  @Column({ type: 'text', collation: 'C', nullable: true })
  country: string | null;

  @Column({ name: 'card_fingerprint', type: 'text', collation: 'C', nullable: true })
  cardFingerprint: string | null;

  @Column({ name: 'device_id', type: 'text', collation: 'C', nullable: true })
  deviceId: string | null;

  /** Why a rule wants somebody to look at it before the money is the user's; it stays when they have. */
  @Column({ name: 'held_for', type: 'text', nullable: true })
  heldFor: string | null;

  /** When somebody who looked at it approved. */
  @Column({ name: 'released_at', type: 'timestamptz', nullable: true })
  releasedAt: Date | null;

  /** Where the customer goes on. */
  @Column({ name: 'authorization_url', type: 'text', nullable: true })
  authorizationUrl: string | null;

  /** What the provider's own dialog goes on with, where it has one. */
  @Column({ name: 'access_code', type: 'text', nullable: true })
  accessCode: string | null;

  @Column({ type: 'jsonb', nullable: true })
  failure: PaymentFailure | null;

  /** When the provider is asked next without anybody wanting to know; null when nothing is open. */
  @Column({ name: 'next_check_at', type: 'timestamptz', nullable: true })
  nextCheckAt: Date | null;

  /** How often it was asked since something changed. */
  @Column({ type: 'integer', default: 0 })
  checks: number;

  /** How often there were news of refunds or disputes since the provider was last asked about them: until it has answered it is asked. */
  @Column({ type: 'integer', default: 0 })
  rings: number;

  /** The actor. */
  @Column({ name: 'created_by', type: 'text' })
  createdBy: string;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt: Date;
}

/** A rule holds it back, and nobody has let it go on. */
export function isHeld({ heldFor, releasedAt }: Pick<Payment, 'heldFor' | 'releasedAt'>): boolean {
  return heldFor !== null && releasedAt === null;
}
