import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/index.js';
import { EmailLimitsModule } from '../email-limits/index.js';
import { AccessTokens } from './access-tokens/access-token.js';
import { AccessTokenVerifier } from './access-tokens/access-token.verifier.js';
import { AccountLinks } from './account-links.js';
import { AccountSweep } from './account-sweep.js';
import { AuthController } from './auth.controller.js';
import { LoginAttempts } from './login/login-attempts.js';
import { LoginService } from './login/login.service.js';
import { MailTokens } from './mail-tokens/mail-tokens.js';
import { AccountPagesController } from './pages/account-pages.controller.js';
import { PasswordResetService } from './password-reset/password-reset.service.js';
import { PasswordHasher } from './passwords/password-hasher.js';
import { MailRequests } from './registration/mail-requests.js';
import { RegistrationService } from './registration/registration.service.js';
import { SessionsRepository } from './sessions/sessions.repository.js';
import { SessionsService } from './sessions/sessions.service.js';
import { UsersController } from './users/users.controller.js';
import { UsersRepository } from './users/users.repository.js';
import { UsersService } from './users/users.service.js';

/** End users and staff: who they are, and how they come in. */
@Module({
  imports: [AuditModule, EmailLimitsModule],
  controllers: [AuthController, UsersController, AccountPagesController],
  providers: [
    AccessTokens,
    AccessTokenVerifier,
    AccountLinks,
    AccountSweep,
    LoginAttempts,
    LoginService,
    MailRequests,
    MailTokens,
    PasswordHasher,
    PasswordResetService,
    RegistrationService,
    SessionsRepository,
    SessionsService,
    UsersRepository,
    UsersService,
  ],
  exports: [AccessTokens, AccessTokenVerifier, UsersService],
})
export class AccountsModule {}
