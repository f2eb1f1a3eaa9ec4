import { type EmailAddress, emailAddress } from '../../../kernel/email-address.js';
import type { RequestContext } from '../../../platform/auth/index.js';
import { type Job, JobGivenUpError, type JobPayload } from '../../../platform/jobs/index.js';

/** What somebody wants who may or may not have an account. */
export type MailRequest = {
  readonly email: EmailAddress;
  readonly context: RequestContext;
} & (
  | { readonly wish: 'register'; /** Of the link to mail. */ readonly token: string }
  | { readonly wish: 'resend-verification' | 'forgot-password' }
);

export function payloadOf(request: MailRequest): JobPayload {
  const { wish, email, context } = request;
  const token = request.wish === 'register' ? request.token : null;
  return {
    wish,
    email,
    token,
    actor: context.actor,
    requestId: context.requestId ?? null,
    ip: context.ip ?? null,
  };
}

/** Reads back what `payloadOf` made. @throws JobGivenUpError for what it never makes */
export function mailRequestOf({ payload }: Job): MailRequest {
  const { wish } = payload;
  const email = emailAddress(text(payload['email']) ?? '');
  const token = text(payload['token']);
  if (email === undefined) throw new JobGivenUpError('The job holds no e-mail address');
  const requestId = text(payload['requestId']);
  const ip = text(payload['ip']);
  const context: RequestContext = {
    actor: text(payload['actor']) ?? 'anonymous',
    ...(requestId !== undefined && { requestId }),
    ...(ip !== undefined && { ip }),
  };
  if (wish === 'register' && token !== undefined) return { wish, email, token, context };
  if (wish === 'resend-verification' || wish === 'forgot-password') return { wish, email, context };
  throw new JobGivenUpError('The job holds no wish that is known');
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
