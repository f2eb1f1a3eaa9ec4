import { ApiKey } from './api-key.entity.js';

export type { ApiKeyLimits } from './api-key.entity.js';
export type { ApiKeyRecord } from './api-key.repository.js';
export { ApiKeyVerifier } from './api-key.verifier.js';
export { ApiKeysModule } from './api-keys.module.js';
export { ApiKeysService, type IssuedApiKey, type KeyMaker, type NewApiKey } from './api-keys.service.js';
export { BootstrapKeys } from './bootstrap-keys.js';

/** For the data source. */
export const API_KEY_ENTITIES = [ApiKey];
