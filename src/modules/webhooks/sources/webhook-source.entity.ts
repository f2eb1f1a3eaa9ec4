import { Check, Column, Entity, PrimaryColumn } from 'typeorm';
import type { HmacScheme, ProviderName } from '../providers/webhook-provider.js';

/** `async`: stored, answered, run by a worker. `inline`: run before the answer. */
export type ProcessingMode = 'async' | 'inline';
/** `entity`: events of one ordering key run one after the other, in the order they were received. */
export type OrderingMode = 'none' | 'entity';
/** Who made it: `*_WEBHOOK_SECRET` at start, or an operator through the API. */
export type Origin = 'environment' | 'api';

/** A place webhooks come in: `/webhooks/<name>`. */
@Entity('webhook_sources')
@Check('webhook_sources_processing_check', `"processing" IN ('async', 'inline')`)
@Check('webhook_sources_ordering_check', `"ordering" IN ('none', 'entity')`)
export class WebhookSource {
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'webhook_sources_pkey' })
  name: string;

  @Column({ type: 'text' })
  provider: ProviderName;

  /** How far a signed time may be from now, before or after. */
  @Column({ name: 'tolerance_seconds', type: 'integer', default: 300 })
  toleranceSeconds: number;

  /** CIDR ranges; empty allows every address. */
  @Column({ name: 'allowed_ips', type: 'text', array: true, default: '{}' })
  allowedIps: string[];

  /** Requests per minute and address; null for the server's default, 0 for no limit. */
  @Column({ name: 'rate_limit_per_minute', type: 'integer', nullable: true })
  rateLimitPerMinute: number | null;

  @Column({ type: 'text', default: 'async' })
  processing: ProcessingMode;

  @Column({ type: 'text', default: 'none' })
  ordering: OrderingMode;

  /** Null for the server's default. */
  @Column({ name: 'max_retries', type: 'integer', nullable: true })
  maxRetries: number | null;

  /** Of a body at most; null for what the provider sends, or the server's default. */
  @Column({ name: 'body_limit_bytes', type: 'integer', nullable: true })
  bodyLimitBytes: number | null;

  /** How an `hmac` source signs; null for every other provider. */
  @Column({ type: 'jsonb', nullable: true })
  scheme: HmacScheme | null;

  /** Where the events say their type, for providers that do not settle it (`FREELY_TYPED`); null leaves it to guesses. */
  @Column({ name: 'type_header', type: 'text', nullable: true })
  typeHeader: string | null;

  @Column({ name: 'type_path', type: 'text', nullable: true })
  typePath: string | null;

  @Column({ type: 'text', default: 'api' })
  origin: Origin;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt: Date;
}
