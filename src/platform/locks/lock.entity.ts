import { Column, Entity, PrimaryColumn } from 'typeorm';

/** The last time a key was locked. The row outlives the lock by a day: it remembers the fencing token. */
@Entity('locks')
export class Lock {
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'locks_pkey' })
  key: string;

  /** Of one acquisition. */
  @Column({ type: 'uuid' })
  owner: string;

  /** For people: host and process id. */
  @Column({ type: 'text' })
  holder: string;

  @Column({ name: 'fencing_token', type: 'bigint' })
  fencingToken: string;

  /** Of a released lock the moment of release. */
  @Column({ name: 'expires_at', type: 'timestamptz' })
  expiresAt: Date;
}
