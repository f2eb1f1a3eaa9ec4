import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, Repository } from 'typeorm';
import { RateLimitOverride } from './rate-limit-override.entity.js';

export type NewRateLimitOverride = Pick<RateLimitOverride, 'subject' | 'rule' | 'limit' | 'shadow' | 'until' | 'setBy'>;

const COLUMNS = `subject, rule, "limit", shadow, until, set_by AS "setBy", set_at AS "setAt"`;

/** No row when `until` is past already. Index: rate_limit_overrides_pkey. */
const SET = `
  INSERT INTO rate_limit_overrides (subject, rule, "limit", shadow, until, set_by)
  SELECT $1::text, $2::text, $3::integer, $4::boolean, $5::timestamptz, $6::text
  WHERE $5::timestamptz IS NULL OR $5::timestamptz > now()
  ON CONFLICT (subject, rule) DO UPDATE
  SET "limit" = excluded."limit", shadow = excluded.shadow, until = excluded.until, set_by = excluded.set_by,
    set_at = now()
  RETURNING ${COLUMNS}`;

/** Of one rule, or of all; those that have ended too, but they do not count. Index: rate_limit_overrides_pkey. */
const REMOVE = `
  WITH removed AS (
    DELETE FROM rate_limit_overrides
    WHERE subject = $1 AND ($2::text IS NULL OR rule = $2)
    RETURNING rule, until
  )
  SELECT rule FROM removed WHERE until IS NULL OR until > now() ORDER BY rule`;

@Injectable()
export class RateLimitOverridesRepository {
  constructor(@InjectRepository(RateLimitOverride) private readonly overrides: Repository<RateLimitOverride>) {}

  /** Those in force. There are few: no index. */
  findAll(): Promise<RateLimitOverride[]> {
    return this.overrides
      .createQueryBuilder('override')
      .where('override.until IS NULL OR override.until > now()')
      .orderBy({ 'override.subject': 'ASC', 'override.rule': 'ASC' })
      .getMany();
  }

  /** @returns undefined when `until` is past, by the database's clock */
  async set(tx: EntityManager, row: NewRateLimitOverride): Promise<RateLimitOverride | undefined> {
    const [override] = await tx.query<RateLimitOverride[]>(SET, [
      row.subject,
      row.rule,
      row.limit,
      row.shadow,
      row.until,
      row.setBy,
    ]);
    return override;
  }

  /** @param rule null for all. @returns the rules whose override was in force */
  async remove(tx: EntityManager, subject: string, rule: string | null): Promise<string[]> {
    const removed = await tx.query<{ rule: string }[]>(REMOVE, [subject, rule]);
    return removed.map((row) => row.rule);
  }
}
