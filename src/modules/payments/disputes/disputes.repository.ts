import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, In, LessThan, Repository } from 'typeorm';
import { DisputeMovement } from './dispute-movement.entity.js';
import { Dispute } from './dispute.entity.js';
import { type DisputeStatus, type DisputeSums, NOTHING_DISPUTED } from './dispute.js';
import type { Payment } from '../payment.entity.js';
import type { PaymentId } from '../payment.js';

/** What is in another currency has not touched the payment's money. Index: disputes_payment_idx. */
const SUMS = `
  SELECT
    dispute.payment, sum(dispute.withdrawn - dispute.reinstated) AS taken,
    coalesce(sum(greatest(dispute.amount - dispute.withdrawn, 0)) FILTER (WHERE dispute.status = 'open'), 0) AS claimed,
    (count(*) FILTER (WHERE dispute.status = 'open'))::integer AS open
  FROM disputes AS dispute
  JOIN payments AS payment ON payment.id = dispute.payment AND payment.settled_currency = dispute.currency
  WHERE dispute.payment = ANY ($1::uuid[])
  GROUP BY dispute.payment`;

/** Index: the primary key. */
const ADD_FUNDS = `
  UPDATE disputes
  SET
    withdrawn = withdrawn + CASE $2 WHEN 'withdrawn' THEN $3::bigint ELSE 0 END,
    reinstated = reinstated + CASE $2 WHEN 'reinstated' THEN $3::bigint ELSE 0 END
  WHERE id = $1`;

export type NewDispute = Omit<Dispute, 'of' | 'withdrawn' | 'reinstated' | 'closedAt' | 'createdAt' | 'updatedAt'>;
export type NewMovement = Omit<DisputeMovement, 'of' | 'at'>;

/** Which disputes; every field narrows. */
export interface DisputeFilter {
  readonly status?: DisputeStatus | undefined;
  readonly userId?: string | undefined;
  readonly payment?: string | undefined;
}

/** Disputes and the money that they moved. */
@Injectable()
export class DisputesRepository {
  constructor(
    @InjectRepository(Dispute) private readonly disputes: Repository<Dispute>,
    @InjectRepository(DisputeMovement) private readonly movements: Repository<DisputeMovement>,
  ) {}

  async insert(tx: EntityManager, dispute: NewDispute, isDecided: boolean): Promise<void> {
    const closedAt = isDecided ? () => 'clock_timestamp()' : null;
    await tx.withRepository(this.disputes).insert({ ...dispute, closedAt });
  }

  /** Whoever holds the lock of the payment holds that of its disputes. Index: disputes_provider_reference_key. */
  ofProvider(
    tx: EntityManager,
    { provider, mode }: Pick<Payment, 'provider' | 'mode'>,
    providerReference: string,
  ): Promise<Dispute | null> {
    return tx.withRepository(this.disputes).findOneBy({ providerReference, provider, mode });
  }

  async move(
    tx: EntityManager,
    id: string,
    to: Pick<Dispute, 'status' | 'providerStatus'>,
    isDecided: boolean,
  ): Promise<void> {
    const closedAt = isDecided ? () => 'coalesce(closed_at, clock_timestamp())' : null;
    await tx.withRepository(this.disputes).update({ id }, { ...to, closedAt, updatedAt: () => 'clock_timestamp()' });
  }

  async addMovement(tx: EntityManager, movement: NewMovement): Promise<void> {
    await tx.withRepository(this.movements).insert(movement);
    await tx.query(ADD_FUNDS, [movement.dispute, movement.kind, movement.amount]);
  }

  /** What the wallet did not take back. Index: disputes_payment_idx. */
  waitingOf(tx: EntityManager, payment: PaymentId): Promise<DisputeMovement[]> {
    return tx.withRepository(this.movements).findBy({ of: { payment }, waiting: true });
  }

  async release(tx: EntityManager, { dispute, key }: DisputeMovement): Promise<void> {
    await tx.withRepository(this.movements).update({ dispute, key }, { account: 'wallet', waiting: false });
  }

  /** Oldest first. Index: the primary key. */
  movementsOf(disputes: readonly string[], by: EntityManager = this.movements.manager): Promise<DisputeMovement[]> {
    return by.find(DisputeMovement, { where: { dispute: In([...disputes]) }, order: { at: 'ASC', key: 'ASC' } });
  }

  /** Oldest first. Index: disputes_payment_idx. */
  of(payment: PaymentId): Promise<Dispute[]> {
    return this.disputes.find({ where: { payment }, order: { id: 'ASC' } });
  }

  find(id: string): Promise<Dispute | null> {
    return this.disputes.findOneBy({ id });
  }

  /** Newest first. Indexes: disputes_pkey, disputes_payment_idx, disputes_user_id_idx, disputes_status_idx. */
  list({ status, userId, payment }: DisputeFilter, before: string | undefined, limit: number): Promise<Dispute[]> {
    return this.disputes.find({
      where: {
        ...(before !== undefined && { id: LessThan(before) }),
        ...(status !== undefined && { status }),
        ...(userId !== undefined && { userId }),
        ...(payment !== undefined && { payment: payment as PaymentId }),
      },
      order: { id: 'DESC' },
      take: limit,
    });
  }

  async sums(payment: PaymentId, by?: EntityManager): Promise<DisputeSums> {
    return (await this.sumsOf([payment], by)).get(payment) ?? NOTHING_DISPUTED;
  }

  /** Of those that have disputes. */
  async sumsOf(
    payments: readonly PaymentId[],
    by: EntityManager = this.disputes.manager,
  ): Promise<ReadonlyMap<PaymentId, DisputeSums>> {
    const rows = await by.query<{ payment: PaymentId; taken: string; claimed: string; open: number }[]>(SUMS, [
      payments,
    ]);
    return new Map(
      rows.map(({ payment, taken, claimed, open }) => [
        payment,
        { taken: BigInt(taken), claimed: BigInt(claimed), open },
      ]),
    );
  }

  /** By the database's clock, by which disputes change. */
  async now(by: EntityManager = this.disputes.manager): Promise<Date> {
    const [row] = await by.query<{ now: Date }[]>('SELECT clock_timestamp() AS now');
    if (row === undefined) throw new Error('The database has no clock');
    return row.now;
  }
}
