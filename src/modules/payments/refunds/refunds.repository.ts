import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, In, Repository } from 'typeorm';
import type { PaymentId } from '../payment.js';
import { PaymentRefund } from './payment-refund.entity.js';

/** Index: payment_refunds_payment_idx. */
const SUMS = `
  SELECT
    payment, coalesce(sum(amount) FILTER (WHERE booking = 'paid'), 0) AS paid,
    coalesce(sum(amount) FILTER (WHERE booking IN ('reserved', 'suspended')), 0) AS reserved
  FROM payment_refunds
  WHERE payment = ANY ($1::uuid[])
  GROUP BY payment`;

/** Minor units. */
export interface RefundSums {
  readonly paid: bigint;
  /** Set aside, or in suspense. */
  readonly reserved: bigint;
}

export const NONE: RefundSums = { paid: 0n, reserved: 0n };

export type NewRefund = Pick<PaymentRefund, 'id' | 'payment' | 'amount' | 'currency' | 'reason' | 'createdBy'> &
  Partial<Pick<PaymentRefund, 'origin' | 'providerReference' | 'status' | 'booking' | 'failure'>>;

@Injectable()
export class RefundsRepository {
  constructor(@InjectRepository(PaymentRefund) private readonly refunds: Repository<PaymentRefund>) {}

  /** Its money is set aside, unless it says otherwise. */
  async insert(tx: EntityManager, refund: NewRefund): Promise<void> {
    await tx.withRepository(this.refunds).insert({ status: 'pending', booking: 'reserved', ...refund });
  }

  lock(tx: EntityManager, id: string): Promise<PaymentRefund | null> {
    return tx.withRepository(this.refunds).findOne({ where: { id }, lock: { mode: 'pessimistic_write' } });
  }

  /** Index: payment_refunds_provider_reference_key. */
  ofProvider(tx: EntityManager, payment: PaymentId, providerReference: string): Promise<PaymentRefund | null> {
    return tx.withRepository(this.refunds).findOneBy({ providerReference, payment });
  }

  find(id: string): Promise<PaymentRefund | null> {
    return this.refunds.findOneBy({ id });
  }

  get(id: string): Promise<PaymentRefund> {
    return this.refunds.findOneByOrFail({ id });
  }

  of(payment: PaymentId): Promise<PaymentRefund[]> {
    return this.refunds.find({ where: { payment }, order: { id: 'ASC' } });
  }

  /** Whether one is under way that was made at the provider, so that its list says how it stands. Index: payment_refunds_payment_idx. */
  hasOpenAdopted(payment: PaymentId): Promise<boolean> {
    return this.refunds.existsBy({ payment, origin: 'provider', status: In(['pending', 'requires_action']) });
  }

  async change(
    tx: EntityManager,
    id: string,
    change: Partial<Pick<PaymentRefund, 'status' | 'booking' | 'providerReference' | 'failure'>>,
  ): Promise<void> {
    await tx.withRepository(this.refunds).update({ id }, { ...change, updatedAt: () => 'clock_timestamp()' });
  }

  async sums(payment: PaymentId, by?: EntityManager): Promise<RefundSums> {
    return (await this.sumsOf([payment], by)).get(payment) ?? NONE;
  }

  /** Of those that have refunds. */
  async sumsOf(
    payments: readonly PaymentId[],
    by: EntityManager = this.refunds.manager,
  ): Promise<ReadonlyMap<PaymentId, RefundSums>> {
    const rows = await by.query<{ payment: PaymentId; paid: string; reserved: string }[]>(SUMS, [payments]);
    return new Map(
      rows.map(({ payment, paid, reserved }) => [payment, { paid: BigInt(paid), reserved: BigInt(reserved) }]),
    );
  }

  /** Those whose money the wallet did not take back. */
  suspendedOf(tx: EntityManager, payment: PaymentId): Promise<PaymentRefund[]> {
    return tx.withRepository(this.refunds).findBy({ payment, booking: 'suspended' });
  }
}
