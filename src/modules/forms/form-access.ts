import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { isUuid } from '../../kernel/ids.js';
import { endUserOf, type Principal } from '../../platform/auth/index.js';
import type { Form } from './form.entity.js';
import { unknownForm } from './form.errors.js';
import { FormsRepository } from './forms.repository.js';

/** Finds forms for those who may see them. */
@Injectable()
export class FormAccess {
  constructor(private readonly forms: FormsRepository) {}

  /** @throws NotFoundError, also for another user's and for text that is no id */
  async visible(id: string, principal: Principal): Promise<Form> {
    return requireOwn(isUuid(id) ? await this.forms.find(id) : null, principal);
  }

  /** The same for a change: until `tx` ends nobody else changes it. */
  async locked(tx: EntityManager, id: string, principal: Principal): Promise<Form> {
    return requireOwn(isUuid(id) ? await this.forms.lock(tx, id) : null, principal);
  }
}

/**
 * Whose forms are meant. An end user's own id may be left out.
 *
 * @returns undefined when a service names nobody
 * @throws NotFoundError when an end user names another: the same answer as for one that does not exist
 */
export function meantUser(principal: Principal, userId: string | undefined): string | undefined {
  const user = endUserOf(principal);
  if (user !== undefined && userId !== undefined && userId !== user) throw unknownForm();
  return userId ?? user;
}

function requireOwn(form: Form | null, principal: Principal): Form {
  const user = endUserOf(principal);
  if (form === null || (user !== undefined && form.userId !== user)) throw unknownForm();
  return form;
}
