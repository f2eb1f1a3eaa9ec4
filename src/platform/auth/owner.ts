import { ValidationError } from '../../kernel/app-error.js';
import type { Principal } from './principal.js';

/** The end user who is calling, who acts on what is theirs only; undefined for a service and for staff. */
export function endUserOf(principal: Principal): string | undefined {
  return principal.kind === 'user' ? principal.id : undefined;
}

/**
 * Whose it is: end users may leave their own id out. Whether they may act for whom they name is for the caller to decide.
 *
 * @param path of `named` in the request
 * @throws ValidationError when a service or staff names nobody
 */
export function ownerOf(principal: Principal, named: string | undefined, path = 'userId'): string {
  const owner = named ?? endUserOf(principal);
  if (owner !== undefined) return owner;
  throw ValidationError.of([{ path, message: `${path} must say whose: only end users may leave it out` }]);
}
