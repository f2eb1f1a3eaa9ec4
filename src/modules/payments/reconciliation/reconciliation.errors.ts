import { ConflictError, NotFoundError } from '../../../kernel/app-error.js';
import type { PaymentProviderName } from '../payment.js';

/** 409: two runs over the same movements would find the same twice. */
export class ReconciliationRunningError extends ConflictError {
  override readonly code = 'RECONCILIATION_RUNNING';
  override readonly title = 'A reconciliation is under way';

  constructor(provider: PaymentProviderName, reconciliation: string) {
    super(`The reconciliation ${reconciliation} of ${provider} is not over, and has a part of this window.`, {
      details: { reconciliation },
    });
  }
}

export function unknownReconciliation(): NotFoundError {
  return new NotFoundError('There is no reconciliation with this id.');
}
