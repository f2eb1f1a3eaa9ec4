import { jsonTime } from '../wallet/index.js';
import type { OperationDto, PaymentDto, PaymentTransitionDto, RefundDto } from './dto/payment.dto.js';
import type { PaymentRefund } from './payment-refund.entity.js';
import type { PaymentTransition } from './payment-transition.entity.js';
import type { Payment } from './payment.entity.js';
import type { ProviderOperation } from './provider-operation.entity.js';
import type { RefundSums } from './refunds.repository.js';

/** @param isUnknown nobody knows whether the charge was made */
export function paymentView(payment: Payment, { paid, reserved }: RefundSums, isUnknown: boolean): PaymentDto {
  const captured = BigInt(payment.settledAmount ?? 0);
  const refundable = payment.settledTo === 'wallet' ? captured - paid - reserved : 0n;
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
    refundedAmount: Number(paid),
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
    providerReference: refund.providerReference,
    reason: refund.reason,
    failure: refund.failure,
    createdAt: jsonTime(refund.createdAt),
  };
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
