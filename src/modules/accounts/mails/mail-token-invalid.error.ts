import { AppError } from '../../../kernel/app-error.js';

/** 400: unknown, used, expired, or meant for something else; the answer does not say which. */
export class MailTokenInvalidError extends AppError {
  readonly code = 'TOKEN_INVALID';
  readonly status = 400;
  readonly title = 'Token not valid';

  constructor() {
    super('The token is unknown, has been used or has expired. Ask for another mail.');
  }
}
