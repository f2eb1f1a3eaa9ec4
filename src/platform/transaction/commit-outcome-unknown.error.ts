import { UnavailableError } from '../../kernel/app-error.js';

/** 503: the answer to COMMIT did not arrive. What was asked for may have happened; only looking tells. */
export class CommitOutcomeUnknownError extends UnavailableError {
  override readonly code = 'COMMIT_OUTCOME_UNKNOWN';
  override readonly title = 'It is not known whether this was committed';

  constructor(cause: unknown) {
    super(
      'The database did not say whether the transaction was committed. Repeat the request with its idempotency key.',
      {
        cause,
      },
    );
  }
}
