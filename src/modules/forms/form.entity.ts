import { Column, Entity, Index, PrimaryColumn } from 'typeorm';

/** Where people's answers come in. */
@Entity('forms')
@Index('forms_user_id_idx', ['userId', 'id'])
export class Form {
  /** Version 7: their order is that of creation. */
  @PrimaryColumn({ type: 'uuid', primaryKeyConstraintName: 'forms_pkey' })
  id: string;

  /** The end user it belongs to, and whose subscription it counts against; null: it is the team's own. */
  @Column({ name: 'user_id', type: 'text', collation: 'C', nullable: true })
  userId: string | null;

  /** For people. */
  @Column({ type: 'text' })
  name: string;

  /** The actor. */
  @Column({ name: 'created_by', type: 'text' })
  createdBy: string;

  @Column({ name: 'created_at', type: 'timestamptz', default: () => 'now()' })
  createdAt: Date;

  @Column({ name: 'updated_at', type: 'timestamptz', default: () => 'now()' })
  updatedAt: Date;
}
