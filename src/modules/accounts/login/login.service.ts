import { Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { EmailAddress } from '../../../kernel/email-address.js';
import { type RequestContext, UnauthenticatedError } from '../../../platform/auth/index.js';
import { Metrics } from '../../../platform/metrics/index.js';
import { type Attempt, networkOf } from '../../../platform/rate-limit/index.js';
import { Transactor } from '../../../platform/transaction/index.js';
import { AuditLog } from '../../audit/index.js';
import { AddressHash } from '../../email-limits/index.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { SessionsService, type SessionTokens } from '../sessions/sessions.service.js';
import { type UserCredentials, UsersRepository } from '../users/users.repository.js';
import { LoginAttempts } from './login-attempts.js';

export interface Login {
  readonly email: EmailAddress;
  readonly password: string;
  readonly userAgent: string | undefined;
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
    private readonly addresses: AddressHash,
    private readonly transactor: Transactor,
    private readonly audit: AuditLog,
    metrics: Metrics,
  ) {
    this.outcomes = metrics.counter('holdfast_logins_total', 'Logins by how they ended', ['outcome']);
  }

  /**
   * @throws UnauthenticatedError (401): unknown address, wrong password, or an address that is not verified; the answer and
   *   the time it takes are the same
   * @throws RateLimitedError (429) for the address of the caller or the account
   */
  async login(login: Login, context: RequestContext, reply: FastifyReply): Promise<SessionTokens> {
    const ip = context.ip ?? '';
    const fromHere = await this.attempts.fromAddress(ip, reply);
    const network = networkOf(ip);
    const credentials = await this.users.credentials(login.email, network);
    const onAccount = await this.onAccount(
      login.email,
      credentials?.familiar === true ? network : undefined,
      reply,
      fromHere,
    );
    const tokens = await this.open(login, credentials, context);
    if (!tokens) return this.fail(login.email, credentials, context);
    fromHere.giveBack();
    onAccount.giveBack();
    this.outcomes.inc({ outcome: 'succeeded' });
    return tokens;
  }

  /** An attempt that is refused for the account's sake was none for the caller's address. */
  private async onAccount(
    email: EmailAddress,
    network: string | undefined,
    reply: FastifyReply,
    fromHere: Attempt,
  ): Promise<Attempt> {
    try {
      return await this.attempts.onAccount(email, network, reply);
    } catch (error) {
      fromHere.giveBack();
      throw error;
    }
  }

  private async open(
    { password, userAgent }: Login,
    credentials: UserCredentials | undefined,
    context: RequestContext,
  ): Promise<SessionTokens | undefined> {
    const isRight = await this.hasher.verify(credentials?.passwordHash, password);
    // Whoever registers somebody else's address must not learn here whether it was free.
    return isRight && credentials?.verified ? this.sessions.open(credentials, context, userAgent) : undefined;
  }

  private async fail(
    email: EmailAddress,
    credentials: UserCredentials | undefined,
    context: RequestContext,
  ): Promise<never> {
    this.outcomes.inc({ outcome: 'failed' });
    const subject = credentials ? `user:${credentials.id}` : this.addresses.subjectOf(email);
    await this.transactor.run((tx) => this.audit.record(tx, [{ ...context, action: 'login.failed', subject }]), {
      isolation: 'READ COMMITTED',
    });
    throw new UnauthenticatedError('The e-mail address or the password is wrong, or the address is not verified yet.');
  }
}
