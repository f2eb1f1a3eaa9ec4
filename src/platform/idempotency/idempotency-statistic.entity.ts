import { Column, Entity, PrimaryColumn } from 'typeorm';

/** How many requests with an idempotency key came to this end, since the table was made, over all processes. */
@Entity('idempotency_statistics')
export class IdempotencyStatistic {
  @PrimaryColumn({ type: 'text', primaryKeyConstraintName: 'idempotency_statistics_pkey' })
  outcome: string;

  @Column({ type: 'bigint' })
  requests: string;
}
