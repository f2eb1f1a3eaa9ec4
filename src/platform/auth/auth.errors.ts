import { AppError } from '../../kernel/app-error.js';

/** 401: no credential, or none we accept. The answer is the same whatever is wrong with a key. */
export class UnauthenticatedError extends AppError {
  readonly code = 'UNAUTHENTICATED';
  readonly status = 401;
  readonly title = 'Authentication required';

  constructor(detail: string) {
    super(detail, { headers: { 'WWW-Authenticate': 'Bearer realm="holdfast"' } });
  }
}

/** 403: we know who it is, and it may not do this. */
export class ForbiddenError extends AppError {
  readonly code = 'FORBIDDEN';
  readonly status = 403;
  readonly title = 'Not allowed';
}
