import { Check, Column, Entity, PrimaryColumn } from 'typeorm';

/** Another limit for one subject, or for everyone, set by an admin. */
@Entity('rate_limit_overrides')
@Check('rate_limit_overrides_limit_check', `"limit" >= 0`)
@Check('rate_limit_overrides_something_check', `"limit" IS NOT NULL OR "shadow" IS NOT NULL`)
export class RateLimitOverride {
  /** `api-key:<id>`, `user:<id>`, `ip:<address>`, or `everyone`. */
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'rate_limit_overrides_pkey' })
  subject: string;

  /** Name of the rule, for example `perMinute`. */
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'rate_limit_overrides_pkey' })
  rule: string;

  /** Requests in the rule's window; 0 turns it off, null leaves it as it is. */
  @Column({ type: 'integer', nullable: true })
  limit: number | null;

  /** True: decided and counted, never refused. Null leaves it as it is. */
  @Column({ type: 'boolean', nullable: true })
  shadow: boolean | null;

  /** In force until then; null: until it is removed. */
  @Column({ type: 'timestamptz', nullable: true })
  until: Date | null;

  /** The actor. */
  @Column({ name: 'set_by', type: 'text' })
  setBy: string;

  @Column({ name: 'set_at', type: 'timestamptz', default: () => 'now()' })
  setAt: Date;
}
