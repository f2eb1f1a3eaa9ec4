import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, In, Repository } from 'typeorm';
import type { PaymentId } from '../payment.js';
import type { RuleShape } from './fraud-rule.js';
import { RuleEvaluation } from './rule-evaluation.entity.js';
import { figureOf } from './rule-figures.js';

/**
 * By their hashes in order: two payments with two subjects in common never wait for each other. OFFSET 0 keeps the sorting before
 * the locking.
 */
const LOCK_SUBJECTS = `
  SELECT pg_advisory_xact_lock(subject.key)
  FROM (SELECT DISTINCT hashtextextended(name, 0) AS key FROM unnest($1::text[]) AS name ORDER BY key OFFSET 0) AS subject`;

export type NewEvaluation = Omit<RuleEvaluation, 'of' | 'at'>;

/** What rules made of payments. */
@Injectable()
export class EvaluationsRepository {
  constructor(@InjectRepository(RuleEvaluation) private readonly evaluations: Repository<RuleEvaluation>) {}

  /** From here on until `tx` ends nobody else judges a payment by one of these. */
  async lockSubjects(tx: EntityManager, names: readonly string[]): Promise<void> {
    if (names.length > 0) await tx.query(LOCK_SUBJECTS, [names]);
  }

  /**
   * The payment's figure for each of the rules, in their order; undefined where it does not say what the rule looks at. One statement,
   * which begins after `lockSubjects`: READ COMMITTED lets it see what those before it have committed.
   */
  async figuresOf(
    tx: EntityManager,
    payment: PaymentId,
    rules: readonly RuleShape[],
  ): Promise<readonly (bigint | undefined)[]> {
    const parameters: unknown[] = [payment];
    const bind = (value: unknown) => `$${parameters.push(value)}`;
    const figures = rules.map((rule) => `(${figureOf(rule, 'creation', bind)})::bigint`);
    const [row] = await tx.query<{ figures: (string | null)[] }[]>(
      `SELECT ARRAY[${figures.join(', ')}]::bigint[] AS figures FROM payments AS payment WHERE payment.id = $1`,
      parameters,
    );
    if (row === undefined) throw new Error(`The payment ${payment} is not there to be judged`);
    return row.figures.map((figure) => (figure === null ? undefined : BigInt(figure)));
  }

  async record(tx: EntityManager, evaluations: readonly NewEvaluation[]): Promise<void> {
    await tx.withRepository(this.evaluations).insert([...evaluations]);
  }

  /** In the order of the rules' creation. Index: payment_rule_evaluations_pkey. */
  of(payment: PaymentId): Promise<RuleEvaluation[]> {
    return this.evaluations.find({ where: { payment }, order: { rule: 'ASC' } });
  }

  /** Of these payments, the rules that wanted somebody to look at them. Index: payment_rule_evaluations_pkey. */
  async reviewsOf(payments: readonly PaymentId[]): Promise<ReadonlyMap<PaymentId, RuleEvaluation[]>> {
    const found = await this.evaluations.find({
      where: { payment: In([...payments]), outcome: 'matched', mode: 'active', action: 'review' },
      order: { payment: 'ASC', rule: 'ASC' },
    });
    const matched = new Map<PaymentId, RuleEvaluation[]>();
    for (const each of found) matched.set(each.payment, [...(matched.get(each.payment) ?? []), each]);
    return matched;
  }
}
