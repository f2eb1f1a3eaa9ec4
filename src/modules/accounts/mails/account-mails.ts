import type { EmailAddress } from '../../../kernel/email-address.js';
import type { Mail } from '../../../platform/mail/index.js';
import { accountMail } from './mail-layout.js';

/** To whoever registered, to prove that the address is theirs. */
export function verificationMail(to: EmailAddress, link: string, hours: number): Mail {
  return accountMail({
    kind: 'verification',
    to,
    subject: 'Verify your e-mail address',
    paragraphs: [
      `Somebody, probably you, registered with this address. To finish, open the link to prove that it is yours; ${onceWithin(hours)}.`,
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

export function passwordResetMail(to: EmailAddress, link: string, hours: number): Mail {
  return accountMail({
    kind: 'password-reset',
    to,
    subject: 'Set a new password',
    paragraphs: [
      `Somebody, probably you, forgot the password of the account with this address. The link sets a new one; ${onceWithin(hours)}.`,
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

function onceWithin(hours: number): string {
  return `it works once, within ${hours === 1 ? 'an hour' : `${hours} hours`}`;
}
