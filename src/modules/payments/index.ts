import { SANDBOX_ENTITIES } from './adapters/sandbox/index.js';
import { ANALYTICS_ENTITIES } from './analytics/index.js';
import { DisputeMovement } from './disputes/dispute-movement.entity.js';
import { Dispute } from './disputes/dispute.entity.js';
import { PaymentRefund } from './refunds/payment-refund.entity.js';
import { PaymentTransition } from './payment-transition.entity.js';
import { Payment } from './payment.entity.js';
import { ProviderOperation } from './providers/provider-operation.entity.js';
import { FraudRule } from './rules/fraud-rule.entity.js';
import { RuleEvaluation } from './rules/rule-evaluation.entity.js';
import { RECONCILIATION_ENTITIES } from './reconciliation/index.js';

/** For the data source; other modules use the services. */
export const PAYMENT_ENTITIES = [
  Payment,
  PaymentTransition,
  PaymentRefund,
  ProviderOperation,
  Dispute,
  DisputeMovement,
  FraudRule,
  RuleEvaluation,
  ...RECONCILIATION_ENTITIES,
  ...ANALYTICS_ENTITIES,
  ...SANDBOX_ENTITIES,
];

export { PaymentsModule } from './payments.module.js';
export { PaymentsService } from './payments.service.js';
export { RefundsService } from './refunds/refunds.service.js';
