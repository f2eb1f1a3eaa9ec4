import type { EmailAddress } from '../../../kernel/email-address.js';
import type { Mail } from '../../../platform/mail/index.js';
import { accountMail } from './account-mail.js';

/** To whoever registered, to prove that the address is theirs. */
export function verificationMail(to: EmailAddress, link: string): Mail {
  return accountMail({
    kind: 'verify-email',
    to,
    subject: 'Verify your e-mail address',
    paragraphs: [
      'Somebody, probably you, registered with this address. To finish, verify that it is yours; the link works for 24 hours and once.',
      'If it was not you, ignore this mail: without a verification nothing comes of the registration.',
    ],
    action: { label: 'Verify my address', link },
  });
}

/** To the owner of an account when somebody registers with its address again. */
export function alreadyRegisteredMail(to: EmailAddress): Mail {
  return accountMail({
    kind: 'already-registered',
    to,
    subject: 'You already have an account',
    paragraphs: [
      'Somebody, probably you, tried to register with this address. It has an account already, which was not changed.',
      'If you forgot your password, ask for a new one. If it was not you, there is nothing to do.',
    ],
  });
}

export function passwordResetMail(to: EmailAddress, link: string): Mail {
  return accountMail({
    kind: 'reset-password',
    to,
    subject: 'Set a new password',
    paragraphs: [
      'Somebody, probably you, forgot the password of the account with this address. The link sets a new one; it works for one hour and once.',
      'If it was not you, ignore this mail: your password stays as it is.',
    ],
    action: { label: 'Set a new password', link },
  });
}

/** After a reset: whoever did not do it has to know. */
export function passwordChangedMail(to: EmailAddress): Mail {
  return accountMail({
    kind: 'password-changed',
    to,
    subject: 'Your password was changed',
    paragraphs: [
      'The password of your account was changed, and every device was logged out.',
      'If it was not you, somebody reads your mail: secure your mailbox first, then set another password.',
    ],
  });
}
