import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { decodeCursor, pageOf } from '../../kernel/cursor.js';
import { newId } from '../../kernel/ids.js';
import type { Principal, RequestContext } from '../../platform/auth/index.js';
import { IdempotentTransactor, type RequestClaim } from '../../platform/idempotency/index.js';
import { READ_COMMITTED } from '../../platform/transaction/index.js';
import { UsersService } from '../accounts/index.js';
import { AuditLog } from '../audit/index.js';
import type { ChangeFormDto, FormDto, FormPageDto, FormQueryDto, NewFormDto } from './dto/form.dto.js';
import { FormAccess, meantUser } from './form-access.js';
import { FormLimitReachedError, unknownForm } from './form.errors.js';
import { formLimit } from './form-limits.js';
import { formView } from './form-view.js';
import { FormsRepository } from './forms.repository.js';

/** Forms as their owners make them. Every change is audited. */
@Injectable()
export class FormsService {
  constructor(
    private readonly forms: FormsRepository,
    private readonly access: FormAccess,
    private readonly users: UsersService,
    private readonly transactor: IdempotentTransactor,
    private readonly audit: AuditLog,
  ) {}

  /** Newest first. @throws NotFoundError when an end user asks for another's */
  async list({ limit, cursor, userId }: FormQueryDto, principal: Principal): Promise<FormPageDto> {
    const before = cursor === undefined ? undefined : decodeCursor(cursor, { id: 'uuid' }).id;
    const rows = await this.forms.list(meantUser(principal, userId), before, limit + 1);
    return pageOf(rows, limit, ({ id }) => ({ id }), formView);
  }

  /** @throws NotFoundError, also for another user's */
  async get(id: string, principal: Principal): Promise<FormDto> {
    return formView(await this.access.visible(id, principal));
  }

  /**
   * @throws FormLimitReachedError (402) when the user has as many as the subscription allows
   * @throws NotFoundError when an end user names another
   */
  async create(
    input: NewFormDto,
    principal: Principal,
    context: RequestContext,
    claim?: RequestClaim,
  ): Promise<FormDto> {
    const userId = meantUser(principal, input.userId) ?? null;
    const { name } = input;
    const id = newId();
    return this.transactor.run(
      claim,
      async (tx) => {
        if (userId !== null) await this.requireRoom(tx, userId);
        await this.forms.insert(tx, { id, userId, name, createdBy: context.actor });
        await this.record(tx, id, 'created', context, { name, ...(userId !== null && { userId }) });
        return this.shown(tx, id);
      },
      // Who waited for the others' forms must see them.
      READ_COMMITTED,
    );
  }

  /** @throws NotFoundError */
  change(
    id: string,
    input: ChangeFormDto,
    principal: Principal,
    context: RequestContext,
    claim?: RequestClaim,
  ): Promise<FormDto> {
    return this.transactor.run(
      claim,
      async (tx) => {
        const { name } = await this.access.locked(tx, id, principal);
        await this.forms.change(tx, id, { name: input.name ?? name });
        await this.record(tx, id, 'changed', context, { ...input });
        return this.shown(tx, id);
      },
      READ_COMMITTED,
    );
  }

  /** @throws NotFoundError */
  remove(id: string, principal: Principal, context: RequestContext, claim?: RequestClaim): Promise<void> {
    return this.transactor.run(
      claim,
      async (tx) => {
        const { name } = await this.access.locked(tx, id, principal);
        await this.forms.remove(tx, id);
        await this.record(tx, id, 'deleted', context, { name });
      },
      READ_COMMITTED,
    );
  }

  private async requireRoom(tx: EntityManager, userId: string): Promise<void> {
    const current = await this.forms.countAlone(tx, userId);
    const subscription = await this.users.subscriptionOf(tx, userId);
    if (current >= formLimit(subscription)) throw new FormLimitReachedError(subscription, current);
  }

  private async shown(tx: EntityManager, id: string): Promise<FormDto> {
    const form = await this.forms.find(id, tx);
    if (form === null) throw unknownForm();
    return formView(form);
  }

  private async record(
    tx: EntityManager,
    id: string,
    what: 'created' | 'changed' | 'deleted',
    context: RequestContext,
    details: Record<string, unknown>,
  ): Promise<void> {
    await this.audit.record(tx, [{ ...context, action: `form.${what}`, subject: `form:${id}`, details }]);
  }
}
