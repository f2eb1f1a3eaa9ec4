import { ValidationError } from '../../kernel/app-error.js';
import { type EmailAddress, emailAddress } from '../../kernel/email-address.js';
import { EMAIL_LIMIT_KINDS, type EmailLimitKind } from './email-limit-kind.js';

/** Whose mail of what kind is limited. */
export interface LimitedAddress {
  readonly kind: EmailLimitKind;
  readonly email: EmailAddress;
}

/** Reads both from a path, decoded. @throws ValidationError (400); it does not repeat the address */
export function limitedAddress(kindText: string, addressText: string): LimitedAddress {
  const kind = EMAIL_LIMIT_KINDS.find((each) => each === kindText);
  const email = emailAddress(addressText);
  if (kind !== undefined && email !== undefined) return { kind, email };
  throw ValidationError.of([
    ...(kind === undefined ? [{ path: 'kind', message: `kind must be ${EMAIL_LIMIT_KINDS.join(' or ')}` }] : []),
    ...(email === undefined ? [{ path: 'email', message: 'email must be an e-mail address' }] : []),
  ]);
}
