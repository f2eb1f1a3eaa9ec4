import { declareAccess } from './access-policy.js';

/** Any valid credential may call, whatever its scopes; the service decides what it gets. */
export const Authenticated = () => declareAccess({ scopes: [] });
