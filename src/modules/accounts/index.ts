export { AccessTokens } from './access-token.js';
export { AccessTokenVerifier } from './access-token.verifier.js';
export { AccountsModule } from './accounts.module.js';
