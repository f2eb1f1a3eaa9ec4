import { NotFoundError } from '../../kernel/app-error.js';
import type { Currency } from '../../kernel/currency.js';
import { endUserOf, ownerOf, type Principal } from '../../platform/auth/index.js';
import { type AccountKey, userAccount } from '../ledger/index.js';

/**
 * @param named whose; an end user's own if left out
 * @throws NotFoundError when an end user asks for another's: the same answer as for one that does not exist
 * @throws ValidationError when a service names nobody
 */
export function accountFor(principal: Principal, named: string | undefined, currency: Currency): AccountKey {
  const owner = ownerOf(principal, named);
  const user = endUserOf(principal);
  if (user !== undefined && user !== owner) throw unknownAccount();
  return userAccount(owner, currency);
}

export function unknownAccount(): NotFoundError {
  return new NotFoundError('This user has no account in this currency.');
}
