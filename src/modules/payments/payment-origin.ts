import { plainAddress } from '../../kernel/plain-address.js';
import { endUserOf, ForbiddenError } from '../../platform/auth/index.js';
import type { OwnedPaymentDto, NewPaymentDto } from './dto/payment.dto.js';
import type { Payment } from './payment.entity.js';
import type { PaymentCaller } from './payment-caller.js';
import type { RuleSubject } from './rules/fraud-rule.js';

/** Where a payment comes from, as it is stored. */
export type PaymentOrigin = Pick<Payment, 'ip' | 'country' | 'cardFingerprint' | 'deviceId'>;

/**
 * What a service says of its customer. End users could say anything: of them nothing is known but the address they call from.
 *
 * @throws ForbiddenError (403) for an end user's `context`
 */
export function originOf({ context }: NewPaymentDto, caller: PaymentCaller): PaymentOrigin {
  if (endUserOf(caller.principal) === undefined) {
    return {
      ip: context?.ip ?? null,
      country: context?.country ?? null,
      cardFingerprint: context?.cardFingerprint ?? null,
      deviceId: context?.deviceId ?? null,
    };
  }
  if (context !== undefined)
    throw new ForbiddenError('An end user may not say the context of a payment: leave it out.');
  return { ip: plainAddress(caller.context.ip ?? '') ?? null, country: null, cardFingerprint: null, deviceId: null };
}

/** An e-mail address is what a service says of its customer, too: an end user could name one that is always let through. */
export function subjectsOf(
  { userId: user, email }: Pick<OwnedPaymentDto, 'userId' | 'email'>,
  { ip, country, cardFingerprint, deviceId }: PaymentOrigin,
  { principal }: PaymentCaller,
): Readonly<Record<RuleSubject, string | null>> {
  const known = endUserOf(principal) === undefined ? (email ?? null) : null;
  return { user, email: known, ip, country, card: cardFingerprint, device: deviceId };
}
