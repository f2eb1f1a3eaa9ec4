import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { NotFoundError } from '../../../kernel/app-error.js';
import { decodeCursor, type Page, pageOf } from '../../../kernel/cursor.js';
import type { EmailAddress } from '../../../kernel/email-address.js';
import { isUuid } from '../../../kernel/ids.js';
import type { RequestContext } from '../../../platform/auth/index.js';
import { READ_COMMITTED, Transactor } from '../../../platform/transaction/index.js';
import { ApiKeysService } from '../../api-keys/index.js';
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
    private readonly apiKeys: ApiKeysService,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Newest first, those too that nobody has verified.
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

  /**
   * In force with the next login: every session ends, so that none that was stolen before becomes an admin's. From who is an
   * admin no longer, the admin keys are taken that they made; keys for less stay, since services live on them.
   *
   * @throws NotFoundError (404)
   */
  setRole(id: string, role: Role, context: RequestContext): Promise<UserRecord> {
    return this.change(id, 'user.role_changed', { role }, context, async (tx) => {
      const user = await this.repository.setRole(tx, id, role);
      if (user) await this.sessions.revokeAll(tx, id);
      if (user && role !== 'admin') await this.apiKeys.revokeAdminKeysMadeBy(tx, `user:${id}`, context);
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
