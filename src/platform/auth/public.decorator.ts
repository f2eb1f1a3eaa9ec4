import { declareAccess } from './access-policy.js';

/** Anyone may call; the guard looks at no credential, so `@CurrentPrincipal()` has nothing to give. */
export const Public = () => declareAccess('public');
