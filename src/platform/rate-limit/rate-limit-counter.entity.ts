import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/**
 * What one subject has used, when limits are counted in PostgreSQL. The table is UNLOGGED: a crash of PostgreSQL empties
 * it, as a restart empties Redis, and no request waits for the disk.
 */
@Entity('rate_limit_counters')
export class RateLimitCounter {
  /** `api-key:<id>`, `user:<id>`, `ip:<address>`, `webhooks:<source>:<address>`. */
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'rate_limit_counters_pkey' })
  subject: string;

  /** By tier: the slots of its window, `[[unix ms, requests], …]`, oldest first; of a bucket `[[full at, 1]]`. */
  @Column({ type: 'jsonb' })
  state: Record<string, [number, number][]>;

  /** Of the last decision: used, ms to wait and ms until clear, for each of its tiers. */
  @Column({ type: 'float8', array: true })
  readings: number[];

  /** Nothing of it counts any more from then on. */
  @Index('rate_limit_counters_over_at_idx')
  @Column({ name: 'over_at', type: 'timestamptz' })
  overAt: Date;
}
