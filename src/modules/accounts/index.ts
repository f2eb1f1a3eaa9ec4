import { ResetToken } from './password-reset/reset-token.entity.js';
import { Registration } from './registration/registration.entity.js';
import { RefreshToken } from './sessions/refresh-token.entity.js';
import { Session } from './sessions/session.entity.js';
import { User } from './users/user.entity.js';

export { AccessTokens } from './access-tokens/access-tokens.js';
export { AccessTokenVerifier } from './access-tokens/access-token.verifier.js';
export { AccountsModule } from './accounts.module.js';
export { knownAddresses } from './users/known-addresses.js';
export { type Role, ROLES } from './users/role.js';
export { type Subscription, SUBSCRIPTIONS } from './users/subscription.js';
export { UsersService } from './users/users.service.js';

/** For the data source. */
export const ACCOUNT_ENTITIES = [User, Session, RefreshToken, Registration, ResetToken];
