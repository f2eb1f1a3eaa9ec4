export { type AccessToken, AccessTokens, MAX_LIFETIME_MS } from './access-token.js';
export { AccessTokenVerifier, USER_SCOPES } from './access-token.verifier.js';
export { AccountsModule } from './accounts.module.js';
