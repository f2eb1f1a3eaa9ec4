import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { type Origin, WebhookSource } from './webhook-source.entity.js';

/** One signing secret of a source. Several may be active at once while a rotation overlaps. */
@Entity('webhook_source_secrets')
export class WebhookSourceSecret {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'webhook_source_secrets_pkey' })
  id: string;

  @Index('webhook_source_secrets_source_idx')
  @Column({ type: 'text' })
  source: string;

  @ManyToOne(() => WebhookSource, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'source', foreignKeyConstraintName: 'webhook_source_secrets_source_fkey' })
  readonly owner?: WebhookSource;

  /** Sealed with `ENCRYPTION_KEY`, bound to this row's id; nothing reads it back out to a caller. */
  @Column({ type: 'bytea' })
  sealed: Buffer;

  @Column({ type: 'text', default: 'api' })
  origin: Origin;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;

  /** Set when a newer secret replaces it: accepted until then. */
  @Column({ name: 'expires_at', type: 'timestamptz', nullable: true })
  expiresAt: Date | null;
}
