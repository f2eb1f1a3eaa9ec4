import type { RequestContext } from '../../../platform/auth/index.js';
import type { NewAuditLine } from '../../audit/index.js';

/** The audit line of something that happened to a user's account. */
export function userLine(
  context: RequestContext,
  action: string,
  userId: string,
  details: Readonly<Record<string, unknown>> = {},
): NewAuditLine {
  return { ...context, action, subject: `user:${userId}`, details };
}
