import { Column, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { type EventMetadata, WebhookEvent } from './webhook-event.entity.js';

/** A verified body that arrived under the id of another event with a different body. Kept for an operator, never run. */
@Entity('webhook_event_conflicts')
@Index('webhook_event_conflicts_event_payload_hash_key', ['event', 'payloadHash'], { unique: true })
export class WebhookEventConflict {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'webhook_event_conflicts_pkey' })
  id: string;

  /** The event that came first. */
  @Column({ type: 'uuid' })
  event: string;

  @ManyToOne(() => WebhookEvent, { onDelete: 'CASCADE' })
  @JoinColumn({ name: 'event', foreignKeyConstraintName: 'webhook_event_conflicts_event_fkey' })
  readonly owner?: WebhookEvent;

  @Column({ name: 'payload_hash', type: 'text' })
  payloadHash: string;

  @Column({ name: 'raw_body', type: 'bytea' })
  rawBody: Buffer;

  @Column({ type: 'jsonb' })
  metadata: EventMetadata;

  @Column({ name: 'ip_address', type: 'inet', nullable: true })
  ipAddress: string | null;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;
}
