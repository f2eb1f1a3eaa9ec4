import { declareAccess } from './access-policy.js';
import type { Scope } from './scope.js';

/** Only a credential that holds all of these scopes (or `admin`) may call. */
export const RequireScopes = (...scopes: [Scope, ...Scope[]]) => declareAccess({ scopes });
