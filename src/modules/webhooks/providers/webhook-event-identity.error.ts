import { AppError } from '../../../kernel/app-error.js';

/**
 * 400: a part of the dedupe key is missing or unusable. Storing the event under an empty or cut id would let it
 * swallow others, so it is refused.
 */
export class WebhookEventIdentityError extends AppError {
  readonly code = 'WEBHOOK_EVENT_ID_INVALID';
  readonly status = 400;
  readonly title = 'The webhook event cannot be identified';

  /**
   * @param part what is wrong: a header's name or a path in the body, for example `data.id`
   * @param problem the rest of the sentence, for example `is missing`
   */
  constructor(
    readonly part: string,
    problem: string,
  ) {
    super(`${part} ${problem}.`, { details: { part } });
  }
}
