import { jsonTime } from '../wallet/index.js';
import type { DisputeMovement } from './disputes/dispute-movement.entity.js';
import type { Dispute } from './disputes/dispute.entity.js';
import type { DisputeSums } from './disputes/dispute.js';
import type { DisputeDto, DisputeMovementDto } from './disputes/dispute.dto.js';
import type { OperationDto, PaymentDto, PaymentTransitionDto, RefundDto } from './dto/payment.dto.js';
import type { PaymentRefund } from './refunds/payment-refund.entity.js';
import type { PaymentTransition } from './payment-transition.entity.js';
import type { Payment } from './payment.entity.js';
import type { ProviderOperation } from './providers/provider-operation.entity.js';
import type { RefundSums } from './refunds/refunds.repository.js';

/** What can go back to the customer; minor units. What an open dispute claims it may yet take. */
export function refundableOf(captured: bigint, { paid, reserved }: RefundSums, disputes: DisputeSums): bigint {
  const left = captured - paid - reserved - disputes.taken - disputes.claimed;
  return left > 0n ? left : 0n;
}

/** @param isUnknown nobody knows whether the charge was made */
export function paymentView(
  payment: Payment,
  refunds: RefundSums,
  disputes: DisputeSums,
  isUnknown: boolean,
): PaymentDto {
  const captured = BigInt(payment.settledAmount ?? 0);
  const refundable = payment.settledTo === 'wallet' ? refundableOf(captured, refunds, disputes) : 0n;
  return {
    id: payment.id,
    userId: payment.userId,
    status: isUnknown ? 'unknown' : payment.status,
    provider: payment.provider,
    mode: payment.mode,
    providerReference: payment.providerReference,
    reference: payment.reference,
    amount: Number(payment.amount),
    currency: payment.currency,
    capture: payment.capture,
    capturedAmount: Number(captured),
    refundedAmount: Number(refunds.paid),
    disputedAmount: Number(disputes.taken),
    refundableAmount: Number(refundable),
    settledTo: payment.settledTo,
    review: payment.review,
    authorizationUrl: payment.authorizationUrl,
    accessCode: payment.accessCode,
    failure: payment.failure,
    paymentMethod: payment.paymentMethod,
    description: payment.description,
    metadata: payment.metadata,
    createdAt: jsonTime(payment.createdAt),
    updatedAt: jsonTime(payment.updatedAt),
  };
}

/** @param isUnknown nobody knows whether it was made */
export function refundView(refund: PaymentRefund, isUnknown: boolean): RefundDto {
  return {
    id: refund.id,
    paymentId: refund.payment,
    status: isUnknown ? 'unknown' : refund.status,
    amount: Number(refund.amount),
    currency: refund.currency,
    origin: refund.origin,
    providerReference: refund.providerReference,
    reason: refund.reason,
    failure: refund.failure,
    createdAt: jsonTime(refund.createdAt),
  };
}

export function disputeView(dispute: Dispute): DisputeDto {
  return {
    id: dispute.id,
    paymentId: dispute.payment,
    userId: dispute.userId,
    provider: dispute.provider,
    providerReference: dispute.providerReference,
    status: dispute.status,
    providerStatus: dispute.providerStatus,
    reason: dispute.reason,
    amount: Number(dispute.amount),
    currency: dispute.currency,
    withdrawnAmount: Number(dispute.withdrawn),
    reinstatedAmount: Number(dispute.reinstated),
    openedAt: jsonTime(dispute.openedAt),
    closedAt: dispute.closedAt === null ? null : jsonTime(dispute.closedAt),
  };
}

export function movementView({ kind, amount, currency, account, key, at }: DisputeMovement): DisputeMovementDto {
  return { kind, amount: Number(amount), currency, account, providerReference: key, at: jsonTime(at) };
}

export function transitionView({
  from,
  to,
  reason,
  source,
  actor,
  event,
  at,
}: PaymentTransition): PaymentTransitionDto {
  return { from, to, reason, source, actor, event, at: jsonTime(at) };
}

export function operationView(operation: ProviderOperation): OperationDto {
  const { id, kind, amount, outcome, failure, createdAt, finishedAt } = operation;
  return {
    id,
    kind,
    amount: amount === null ? null : Number(amount),
    outcome,
    failure,
    createdAt: jsonTime(createdAt),
    finishedAt: finishedAt === null ? null : jsonTime(finishedAt),
  };
}
