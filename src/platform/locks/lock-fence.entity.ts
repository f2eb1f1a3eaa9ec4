import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The highest fencing token that has come past a `LockFence`, for each key. */
@Entity('lock_fences')
export class LockFenceRow {
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'lock_fences_pkey' })
  key: string;

  @Column({ name: 'fencing_token', type: 'bigint' })
  fencingToken: string;
}
