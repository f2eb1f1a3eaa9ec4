import { Injectable, Module } from '@nestjs/common';
import { isApiKey } from './kernel/api-key-format.js';
import { AccessTokenVerifier, AccountsModule } from './modules/accounts/index.js';
import { ApiKeysModule, ApiKeyVerifier } from './modules/api-keys/index.js';
import { CredentialVerifier, type Principal } from './platform/auth/index.js';

/** Services come with an API key, end users with an access token; no text can be both. */
@Injectable()
class AnyCredential extends CredentialVerifier {
  constructor(
    private readonly apiKeys: ApiKeyVerifier,
    private readonly accessTokens: AccessTokenVerifier,
  ) {
    super();
  }

  override verify(credential: string): Promise<Principal | null> {
    return isApiKey(credential) ? this.apiKeys.verify(credential) : this.accessTokens.verify(credential);
  }
}

/** Whoever may come in, for the guard. */
@Module({
  imports: [ApiKeysModule, AccountsModule],
  providers: [{ provide: CredentialVerifier, useClass: AnyCredential }],
  exports: [CredentialVerifier],
})
export class CredentialsModule {}
