import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, type FindOptionsWhere, LessThan, Repository } from 'typeorm';
import { lockName } from '../../platform/transaction/index.js';
import { Form } from './form.entity.js';

export type NewForm = Omit<Form, 'createdAt' | 'updatedAt'>;
export type FormChange = Partial<Pick<Form, 'name'>>;

@Injectable()
export class FormsRepository {
  constructor(@InjectRepository(Form) private readonly forms: Repository<Form>) {}

  /**
   * Newest first. Indexes: forms_pkey, forms_user_id_idx.
   *
   * @param userId undefined for everybody's
   */
  list(userId: string | undefined, before: string | undefined, limit: number): Promise<Form[]> {
    const where: FindOptionsWhere<Form> = {};
    if (userId !== undefined) where.userId = userId;
    if (before !== undefined) where.id = LessThan(before);
    return this.forms.find({ where, order: { id: 'DESC' }, take: limit });
  }

  find(id: string, by: EntityManager = this.forms.manager): Promise<Form | null> {
    return by.findOneBy(Form, { id });
  }

  /** For a change: until `tx` ends nobody else changes it. */
  lock(tx: EntityManager, id: string): Promise<Form | null> {
    return tx.withRepository(this.forms).findOne({ where: { id }, lock: { mode: 'pessimistic_write' } });
  }

  /** The user's forms, and until `tx` ends nobody else adds one. Index: forms_user_id_idx. */
  async countAlone(tx: EntityManager, userId: string): Promise<number> {
    await lockName(tx, `forms of ${userId}`);
    return tx.withRepository(this.forms).countBy({ userId });
  }

  async insert(tx: EntityManager, form: NewForm): Promise<void> {
    await tx.withRepository(this.forms).insert(form);
  }

  async change(tx: EntityManager, id: string, change: FormChange): Promise<void> {
    await tx.withRepository(this.forms).update({ id }, { ...change, updatedAt: () => 'clock_timestamp()' });
  }

  async remove(tx: EntityManager, id: string): Promise<void> {
    await tx.withRepository(this.forms).delete({ id });
  }
}
