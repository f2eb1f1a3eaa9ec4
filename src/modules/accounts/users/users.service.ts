import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { NotFoundError } from '../../../kernel/app-error.js';
import { decodeCursor, type Page, pageOf } from '../../../kernel/cursor.js';
import type { EmailAddress } from '../../../kernel/email-address.js';
import { isUuid } from '../../../kernel/ids.js';
import { type RequestContext, UnauthenticatedError } from '../../../platform/auth/index.js';
import { READ_COMMITTED, Transactor } from '../../../platform/transaction/index.js';
import { AuditLog } from '../../audit/index.js';
import { SessionsRepository } from '../sessions/sessions.repository.js';
import type { Role } from './role.js';
import type { Subscription } from './subscription.js';
import { userLine } from './user-line.js';
import { type UserRecord, UsersRepository } from './users.repository.js';

const CURSOR = { id: 'uuid' } as const;

/** What admins see of users, and may change. */
@Injectable()
export class UsersService {
  constructor(
    private readonly transactor: Transactor,
    private readonly repository: UsersRepository,
    private readonly sessions: SessionsRepository,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Newest first.
   *
   * @param cursor `nextCursor` of the page before
   * @throws ValidationError (400) for a cursor of something else
   */
  async list(limit: number, cursor?: string, email?: EmailAddress): Promise<Page<UserRecord>> {
    const before = cursor === undefined ? null : decodeCursor(cursor, CURSOR).id;
    const users = await this.repository.list(limit + 1, before, email ?? null);
    return pageOf(
      users,
      limit,
      ({ id }) => ({ id }),
      (user) => user,
    );
  }

  /** @throws NotFoundError (404), also for text that is no id */
  async find(id: string): Promise<UserRecord> {
    return existing(isUuid(id) ? await this.repository.find(id) : undefined);
  }

  /** What a user pays for. Who is kept by another service pays for nothing here. */
  async subscriptionOf(tx: EntityManager, id: string): Promise<Subscription> {
    return (isUuid(id) ? await this.repository.subscription(tx, id) : undefined) ?? 'free';
  }

  /**
   * In force with the next login: every session ends, so that none that was stolen before becomes an admin's.
   *
   * @param by the admin who is logged in and asks for it; undefined for an API key or the command line
   * @throws NotFoundError (404), UnauthenticatedError (401) when `by` has just ceased to be an admin
   */
  setRole(id: string, role: Role, context: RequestContext, by?: string): Promise<UserRecord> {
    return this.change(id, 'user.role_changed', { role }, context, async (tx) => {
      // Under the lock, so that nobody whose role is being taken away gives it back.
      const roles = await this.repository.lockRoles(tx, by === undefined ? [id] : [id, by]);
      if (by !== undefined && roles.get(by) !== 'admin') throw new UnauthenticatedError('You are no admin any more.');
      const user = await this.repository.setRole(tx, id, role);
      if (user) await this.sessions.revokeAll(tx, id);
      return user;
    });
  }

  setSubscription(id: string, tier: Subscription, context: RequestContext): Promise<UserRecord> {
    return this.change(id, 'user.subscription_changed', { tier }, context, (tx) =>
      this.repository.setSubscription(tx, id, tier),
    );
  }

  /** Logs the user out everywhere. Access tokens of users that are out already last up to 15 minutes more. */
  async endSessions(id: string, context: RequestContext): Promise<void> {
    await this.find(id);
    await this.transactor.run(async (tx) => {
      const ended = await this.sessions.revokeAll(tx, id);
      await this.audit.record(tx, [userLine(context, 'user.logged_out', id, { sessionsEnded: ended })]);
    }, READ_COMMITTED);
  }

  /** The same in the caller's transaction, for an id that may be of nobody who logs in here: then nothing happens. */
  async revokeSessions(tx: EntityManager, id: string, context: RequestContext): Promise<void> {
    const ended = await this.sessions.revokeAll(tx, id);
    if (ended > 0) await this.audit.record(tx, [userLine(context, 'user.logged_out', id, { sessionsEnded: ended })]);
  }

  private async change(
    id: string,
    action: string,
    details: Record<string, unknown>,
    context: RequestContext,
    write: (tx: EntityManager) => Promise<UserRecord | undefined>,
  ): Promise<UserRecord> {
    if (!isUuid(id)) return existing(undefined);
    return this.transactor.run(async (tx) => {
      const user = existing(await write(tx));
      await this.audit.record(tx, [userLine(context, action, id, details)]);
      return user;
    }, READ_COMMITTED);
  }
}

function existing(user: UserRecord | undefined): UserRecord {
  if (!user) throw new NotFoundError('There is no user with this id.');
  return user;
}
