import { NotFoundError } from '../../kernel/app-error.js';
import type { Currency } from '../../kernel/currency.js';
import type { Principal } from '../../platform/auth/index.js';
import { type AccountKey, userAccount } from '../ledger/index.js';
import { endUserOf } from './caller.js';

/** @throws NotFoundError when an end user asks for another's: the same answer as for one that does not exist */
export function accountFor(principal: Principal, userId: string, currency: Currency): AccountKey {
  const user = endUserOf(principal);
  if (user !== undefined && user !== userId) throw unknownAccount();
  return userAccount(userId, currency);
}

export function unknownAccount(): NotFoundError {
  return new NotFoundError('This user has no account in this currency.');
}
