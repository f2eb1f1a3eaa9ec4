import { Module } from '@nestjs/common';
import { AccessTokens } from './access-token.js';
import { AccessTokenVerifier } from './access-token.verifier.js';

/** End users: who they are, told by the access tokens they come with. */
@Module({ providers: [AccessTokens, AccessTokenVerifier], exports: [AccessTokens, AccessTokenVerifier] })
export class AccountsModule {}
