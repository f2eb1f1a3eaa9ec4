import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { newId } from '../../../kernel/ids.js';
import { type RequestContext, UnauthenticatedError } from '../../../platform/auth/index.js';
import { networkOf } from '../../../platform/rate-limit/index.js';
import { READ_COMMITTED, Transactor } from '../../../platform/transaction/index.js';
import { AuditLog } from '../../audit/index.js';
import { AccessTokens } from '../access-tokens/access-tokens.js';
import { newSecretToken, secretTokenHash } from '../secret-token.js';
import { isStaffRole, type Role } from '../users/role.js';
import { userLine } from '../users/user-line.js';
import { type FoundRefreshToken, SessionsRepository } from './sessions.repository.js';

/** What a client gets at login and at each refresh. */
export interface SessionTokens {
  accessToken: string;
  refreshToken: string;
  tokenType: 'Bearer';
  /** Seconds the access token is good for. */
  expiresIn: number;
}

/** Whose session to open. */
export interface SessionOwner {
  id: string;
  role: Role;
  /** As it was when the password was checked. */
  passwordHash: string;
}

const ACCESS_TOKEN_SECONDS = 15 * 60;
/** Of not being used: each refresh starts them anew. */
const LIFETIME_DAYS = 30;

/** Logins, and the rotation of the tokens that keep them alive. */
@Injectable()
export class SessionsService {
  constructor(
    private readonly transactor: Transactor,
    private readonly repository: SessionsRepository,
    private readonly accessTokens: AccessTokens,
    private readonly audit: AuditLog,
  ) {}

  /** @returns undefined when the password or the role was changed since the password was checked */
  async open(owner: SessionOwner, context: RequestContext): Promise<SessionTokens | undefined> {
    const sessionId = newId();
    const { token, hash } = newSecretToken('hfr');
    const opened = await this.transactor.run(async (tx) => {
      const isOpen = await this.repository.open(tx, {
        id: sessionId,
        userId: owner.id,
        passwordHash: owner.passwordHash,
        role: owner.role,
        network: networkOf(context.ip ?? ''),
        tokenHash: hash,
        lifetimeDays: LIFETIME_DAYS,
      });
      if (isOpen) await this.record(tx, 'session.opened', owner.id, sessionId, context);
      return isOpen;
    }, READ_COMMITTED);
    return opened ? this.tokens(owner.id, owner.role, sessionId, token) : undefined;
  }

  /**
   * One token for the next. A token that was used before is in two hands: the whole session ends (RFC 9700, section
   * 4.14.2), for the thief and for the one who was stolen from, who logs in again.
   *
   * @throws UnauthenticatedError (401), without telling what is wrong with the token
   */
  async refresh(refreshToken: string, context: RequestContext): Promise<SessionTokens> {
    const used = secretTokenHash(refreshToken);
    const next = newSecretToken('hfr');
    const found =
      used && (await this.transactor.run((tx) => this.rotate(tx, used, next.hash, context), READ_COMMITTED));
    if (!found) throw new UnauthenticatedError('The refresh token is not valid: log in again.');
    return this.tokens(found.userId, found.role, found.sessionId, next.token);
  }

  /** Ends the session of the token. A token that is unknown has no session left: that is no error. */
  async close(refreshToken: string, context: RequestContext): Promise<void> {
    const hash = secretTokenHash(refreshToken);
    if (!hash) return;
    await this.transactor.run(async (tx) => {
      const found = await this.repository.findToken(tx, hash);
      if (!found || !(await this.repository.revoke(tx, found.sessionId))) return;
      await this.record(tx, 'session.closed', found.userId, found.sessionId, context);
    }, READ_COMMITTED);
  }

  private async rotate(
    tx: EntityManager,
    used: Buffer,
    next: Buffer,
    context: RequestContext,
  ): Promise<FoundRefreshToken | undefined> {
    const found = await this.repository.findToken(tx, used);
    if (!found?.alive) return undefined;
    if (found.used) {
      await this.repository.revoke(tx, found.sessionId);
      await this.record(tx, 'session.token_reused', found.userId, found.sessionId, context);
      return undefined;
    }
    await this.repository.rotate(tx, found.sessionId, used, next, LIFETIME_DAYS);
    return found;
  }

  private async tokens(userId: string, role: Role, sessionId: string, refreshToken: string): Promise<SessionTokens> {
    const staff = isStaffRole(role) ? { role, sessionId } : undefined;
    const { token } = await this.accessTokens.issue(userId, ACCESS_TOKEN_SECONDS * 1000, staff);
    return { accessToken: token, refreshToken, tokenType: 'Bearer', expiresIn: ACCESS_TOKEN_SECONDS };
  }

  private record(
    tx: EntityManager,
    action: string,
    userId: string,
    sessionId: string,
    context: RequestContext,
  ): Promise<void> {
    const actor = `user:${userId}`;
    return this.audit.record(tx, [userLine({ ...context, actor }, action, userId, { sessionId })]);
  }
}
