import { type EmailAddress, emailAddress } from '../../../kernel/email-address.js';
import type { Job } from '../../../platform/jobs/index.js';
import type { MailRequest } from './mail-requests.js';

/** Reads back what `MailRequests` stored. @throws TypeError for what it never stores */
export function mailRequestOf({ payload }: Job): MailRequest {
  const { passwordHash } = payload;
  return {
    email: address(payload['email']),
    context: {
      actor: text(payload['actor']) ?? 'anonymous',
      requestId: text(payload['requestId']),
      ip: text(payload['ip']),
    },
    passwordHash: text(passwordHash),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function address(value: unknown): EmailAddress {
  const email = emailAddress(text(value) ?? '');
  if (email === undefined) throw new TypeError('The job holds no e-mail address');
  return email;
}
