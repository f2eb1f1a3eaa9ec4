import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ClockModule } from '../../platform/clock/index.js';
import { EncryptionModule } from '../../platform/encryption/index.js';
import { JobsModule } from '../../platform/jobs/index.js';
import { LocksModule } from '../../platform/locks/index.js';
import { MailModule } from '../../platform/mail/index.js';
import { AuditModule } from '../audit/index.js';
import { EmailLimitsModule } from '../email-limits/index.js';
import { AccessTokens } from './access-tokens/access-tokens.js';
import { AccessTokenVerifier } from './access-tokens/access-token.verifier.js';
import { AccountLinks } from './mails/account-links.js';
import { AuthController } from './auth.controller.js';
import { LoginAttempts } from './login-attempts.js';
import { LoginService } from './login.service.js';
import { RegistrationsRepository } from './registration/registrations.repository.js';
import { ResetTokensRepository } from './password-reset/reset-tokens.repository.js';
import { AccountPagesController } from './account-pages.controller.js';
import { PasswordResetService } from './password-reset/password-reset.service.js';
import { PasswordHasher } from './passwords/password-hasher.js';
import { MailRequests } from './mails/mail-requests.js';
import { RegistrationService } from './registration/registration.service.js';
import { SessionsRepository } from './sessions/sessions.repository.js';
import { SessionsService } from './sessions/sessions.service.js';
import { User } from './users/user.entity.js';
import { UsersController } from './users/users.controller.js';
import { UsersRepository } from './users/users.repository.js';
import { UsersService } from './users/users.service.js';

/** End users and staff: who they are, and how they come in. */
@Module({
  imports: [
    TypeOrmModule.forFeature([User]),
    ClockModule,
    EncryptionModule,
    JobsModule,
    LocksModule,
    MailModule,
    AuditModule,
    EmailLimitsModule,
  ],
  controllers: [AuthController, UsersController, AccountPagesController],
  providers: [
    AccessTokens,
    AccessTokenVerifier,
    AccountLinks,
    LoginAttempts,
    LoginService,
    MailRequests,
    PasswordHasher,
    PasswordResetService,
    RegistrationService,
    RegistrationsRepository,
    ResetTokensRepository,
    SessionsRepository,
    SessionsService,
    UsersRepository,
    UsersService,
  ],
  exports: [AccessTokens, AccessTokenVerifier, UsersService],
})
export class AccountsModule {}
