import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** An event that the sandbox has to send, until it is taken in. */
@Entity('sandbox_events')
export class SandboxEvent {
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'sandbox_events_pkey' })
  id: string;

  @Column({ type: 'text' })
  type: string;

  @Column({ type: 'jsonb' })
  data: object;

  @Index('sandbox_events_send_at_idx')
  @Column({ name: 'send_at', type: 'timestamptz' })
  sendAt: Date;
}
