import type { Currency } from '../../../../kernel/currency.js';
import { Money } from '../../../../kernel/money.js';
import type { DisputeMovementKind, DisputeReport } from '../../disputes/dispute.js';
import type {
  ChargeReport,
  PaymentFailure,
  PaymentId,
  ProviderRefund,
  RefundReport,
  RefundStatus,
  ReportedStatus,
} from '../../payment.js';
import type { Movement, MovementKind } from '../../providers/provider-movement.js';

/** A charge as the sandbox shows it, in answers and events. */
export interface ChargeObject {
  readonly id: string;
  readonly payment: string;
  readonly amount: number;
  readonly received: number;
  readonly currency: string;
  readonly status: ReportedStatus;
  readonly failure: PaymentFailure | null;
  readonly authorization_url: string | null;
}

/** A refund as the sandbox shows it. */
export interface RefundObject {
  readonly id: string;
  readonly charge: string;
  readonly refund: string;
  readonly amount: number;
  readonly currency: string;
  readonly status: RefundStatus;
}

/** A dispute as the sandbox shows it. */
export interface DisputeObject {
  readonly id: string;
  readonly charge: string;
  readonly payment: string;
  readonly amount: number;
  readonly currency: string;
  readonly status: string;
  readonly created_at: string;
  readonly movements: readonly { readonly id: string; readonly kind: DisputeMovementKind; readonly amount: number }[];
}

/** A movement as the sandbox lists it. */
export interface MovementObject {
  readonly id: string;
  readonly kind: Exclude<MovementKind, 'fee' | 'other'>;
  readonly object: string;
  readonly charge: string;
  readonly payment: PaymentId | null;
  readonly refund: string | null;
  readonly amount: number;
  readonly currency: string;
  readonly created_at: string;
}

export interface MovementListObject {
  readonly data: readonly MovementObject[];
  readonly has_more: boolean;
}

export function chargeReportOf(charge: ChargeObject): ChargeReport {
  return {
    reference: charge.id,
    status: charge.status,
    mode: 'test',
    received: Money.of(charge.received, charge.currency as Currency),
    ...(charge.failure && { failure: charge.failure }),
    ...(charge.authorization_url && { authorizationUrl: charge.authorization_url }),
  };
}

export function refundReportOf({ id, status, amount, currency }: RefundObject): RefundReport {
  return {
    reference: id,
    status,
    amount: Money.of(amount, currency as Currency),
    ...(status === 'failed' && { failure: { code: 'refund_failed', message: "The customer's bank sent it back." } }),
  };
}

/** The sandbox's word for the refund of ours it was made for is whatever its maker said. */
export function providerRefundOf(refund: RefundObject): ProviderRefund {
  return { ...refundReportOf(refund), ours: refund.refund };
}

export function disputeReportOf(dispute: DisputeObject): DisputeReport {
  const { id, status, amount, created_at: created, movements } = dispute;
  const currency = dispute.currency as Currency;
  return {
    reference: id,
    status: status === 'won' || status === 'lost' ? status : 'open',
    providerStatus: status,
    reason: 'general',
    amount: Money.of(amount, currency),
    openedAt: new Date(created),
    movements: movements.map((each) => ({ key: each.id, kind: each.kind, amount: Money.of(each.amount, currency) })),
  };
}

/** What a movement of a dispute is called: each dispute has one of a kind at most. */
export function disputeMovementId(dispute: string, kind: DisputeMovementKind): string {
  return `${dispute}_${kind}`;
}

/** The sandbox takes no fees, and pays out at once. */
export function movementOf(object: MovementObject): Movement {
  const { amount, currency, created_at: createdAt, ...rest } = object;
  return {
    ...rest,
    id: movementIdOf(object),
    amount: Money.of(amount, currency as Currency),
    fee: Money.of(0, currency as Currency),
    createdAt: new Date(createdAt),
    isReversal: rest.kind === 'refund' && amount > 0,
    isPending: false,
    isUndone: false,
    isAvailable: true,
  };
}

/** As `disputeReportOf` has it in `key`. */
function movementIdOf({ id, kind, object }: MovementObject): string {
  if (kind === 'dispute') return disputeMovementId(object, 'withdrawn');
  return kind === 'reinstatement' ? disputeMovementId(object, 'reinstated') : id;
}
