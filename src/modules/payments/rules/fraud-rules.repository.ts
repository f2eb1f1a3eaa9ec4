import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, LessThan, Not, Repository } from 'typeorm';
import { FraudRule } from './fraud-rule.entity.js';

export type NewRule = Omit<FraudRule, 'createdAt' | 'updatedAt'>;
export type RuleChange = Partial<
  Pick<FraudRule, 'name' | 'action' | 'mode' | 'by' | 'windowSeconds' | 'limit' | 'currency' | 'values'>
>;

/** The rules themselves. */
@Injectable()
export class FraudRulesRepository {
  constructor(@InjectRepository(FraudRule) private readonly rules: Repository<FraudRule>) {}

  /** Those that payments are held against: a handful of rows, read by each creation, so that a change is known everywhere at once. */
  inForce(tx: EntityManager): Promise<FraudRule[]> {
    return tx.withRepository(this.rules).find({ where: { mode: Not('off') }, order: { id: 'ASC' } });
  }

  /** Newest first. */
  list(before: string | undefined, limit: number): Promise<FraudRule[]> {
    return this.rules.find({
      where: before === undefined ? {} : { id: LessThan(before) },
      order: { id: 'DESC' },
      take: limit,
    });
  }

  find(id: string, by: EntityManager = this.rules.manager): Promise<FraudRule | null> {
    return by.findOneBy(FraudRule, { id });
  }

  /** For a change: until `tx` ends nobody else changes it. */
  lock(tx: EntityManager, id: string): Promise<FraudRule | null> {
    return tx.withRepository(this.rules).findOne({ where: { id }, lock: { mode: 'pessimistic_write' } });
  }

  async insert(tx: EntityManager, rule: NewRule): Promise<void> {
    await tx.withRepository(this.rules).insert(rule);
  }

  async change(tx: EntityManager, id: string, change: RuleChange): Promise<void> {
    await tx.withRepository(this.rules).update({ id }, { ...change, updatedAt: () => 'clock_timestamp()' });
  }

  async remove(tx: EntityManager, id: string): Promise<void> {
    await tx.withRepository(this.rules).delete({ id });
  }
}
