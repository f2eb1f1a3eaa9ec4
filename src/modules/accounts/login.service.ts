import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { EmailAddress } from '../../kernel/email-address.js';
import { type RequestContext, UnauthenticatedError } from '../../platform/auth/index.js';
import { EmailHash } from '../../platform/encryption/index.js';
import { Metrics } from '../../platform/metrics/index.js';
import { networkOf } from '../../platform/rate-limit/index.js';
import { READ_COMMITTED, Transactor } from '../../platform/transaction/index.js';
import { AuditLog } from '../audit/index.js';
import { PasswordHasher } from './passwords/password-hasher.js';
import { SessionsService, type SessionTokens } from './sessions/sessions.service.js';
import { type UserCredentials, UsersRepository } from './users/users.repository.js';
import { LoginAttempts } from './login-attempts.js';

export interface Login {
  readonly email: EmailAddress;
  readonly password: string;
}

/** Lets a user in who knows the password. */
@Injectable()
export class LoginService {
  private readonly outcomes;

  constructor(
    private readonly users: UsersRepository,
    private readonly hasher: PasswordHasher,
    private readonly attempts: LoginAttempts,
    private readonly sessions: SessionsService,
    private readonly hashes: EmailHash,
    private readonly transactor: Transactor,
    private readonly audit: AuditLog,
    metrics: Metrics,
  ) {
    this.outcomes = metrics.counter('holdfast_logins_total', 'Logins by how they ended', ['outcome']);
  }

  /**
   * @throws UnauthenticatedError (401): unknown address or wrong password; the answer and the time it takes are the same
   * @throws RateLimitedError (429) for the caller's IP address or the account
   */
  async login(login: Login, context: RequestContext, reply: FastifyReply): Promise<SessionTokens> {
    const ip = context.ip ?? '';
    const credentials = await this.users.credentials(login.email, networkOf(ip));
    const attempt = await this.attempts.take(login.email, ip, credentials?.familiar ?? false, reply);
    const tokens = await this.open(login, credentials, context).catch((error: unknown) => {
      // Nobody has learned anything, and who comes back after an outage must not find the limit used up.
      attempt.giveBack();
      throw error;
    });
    if (!tokens) return this.fail(login.email, credentials, context);
    attempt.giveBack();
    this.outcomes.inc({ outcome: 'succeeded' });
    return tokens;
  }

  private async open(
    { password }: Login,
    credentials: UserCredentials | undefined,
    context: RequestContext,
  ): Promise<SessionTokens | undefined> {
    const passwordHash = credentials?.passwordHash ?? undefined;
    const isRight = await this.hasher.verify(passwordHash, password);
    if (!isRight || credentials === undefined || passwordHash === undefined) return undefined;
    return this.sessions.open({ id: credentials.id, role: credentials.role, passwordHash }, context);
  }

  private async fail(
    email: EmailAddress,
    credentials: UserCredentials | undefined,
    context: RequestContext,
  ): Promise<never> {
    this.outcomes.inc({ outcome: 'failed' });
    const subject = credentials ? `user:${credentials.id}` : this.hashes.subjectOf(email);
    await this.transactor.run(
      (tx) => this.audit.record(tx, [{ ...context, action: 'login.failed', subject }]),
      READ_COMMITTED,
    );
    throw new UnauthenticatedError('The e-mail address or the password is wrong, or the address is not verified yet.');
  }
}
