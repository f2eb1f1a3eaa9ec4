import { AppError, NotFoundError } from '../../kernel/app-error.js';
import type { Subscription } from '../accounts/index.js';
import { formLimit, upgradeAdvice } from './form-limits.js';

/** 404: no such form, or not the caller's. */
export function unknownForm(): NotFoundError {
  return new NotFoundError('There is no form with this id.');
}

/** 402: the user has as many forms as the subscription allows. */
export class FormLimitReachedError extends AppError {
  readonly code = 'FORM_LIMIT_REACHED';
  readonly status = 402;
  readonly title = 'Form creation limit reached';

  constructor(subscription: Subscription, current: number) {
    const limit = formLimit(subscription);
    const message = upgradeAdvice(subscription);
    super(`The subscription ${subscription} allows ${limit} forms at a time. ${message}.`, {
      details: { limit, current, subscription, message },
    });
  }
}
