import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, In, IsNull, LessThan, Not, type QueryDeepPartialEntity, Repository } from 'typeorm';
import { lockName } from '../../platform/transaction/index.js';
import { Payment } from './payment.entity.js';
import type { ChangeCause, ChargeStatus, PaymentId, PaymentProviderName } from './payment.js';
import { PaymentTransition } from './payment-transition.entity.js';

export type NewPayment = Pick<
  Payment,
  | 'id'
  | 'userId'
  | 'provider'
  | 'mode'
  | 'reference'
  | 'amount'
  | 'currency'
  | 'capture'
  | 'paymentMethod'
  | 'providerPaymentMethod'
  | 'email'
  | 'description'
  | 'metadata'
  | 'createdBy'
  | 'ip'
  | 'country'
  | 'cardFingerprint'
  | 'deviceId'
>;

/** What the columns of a payment may be changed to. */
export type PaymentChange = Partial<Pick<Payment, 'status' | 'failure' | 'settledTo' | 'review' | 'heldFor'>>;

/** A step in the history of a charge, and who made it. */
export interface ChargeTransition {
  readonly payment: PaymentId;
  /** Null for its beginning. */
  readonly from: ChargeStatus | null;
  readonly to: ChargeStatus;
  readonly reason: string | null;
  readonly cause: ChangeCause;
}

type OneOrMany = PaymentId | readonly PaymentId[];

/** Which payments; every field narrows. */
export interface PaymentFilter {
  readonly userId?: string | undefined;
  readonly status?: string | undefined;
  readonly provider?: string | undefined;
  readonly reference?: string | undefined;
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  readonly metadata?: Readonly<Record<string, string>> | undefined;
}

/** One about which the provider is asked, and how often it had rung by then. */
export type DuePayment = Pick<Payment, 'id' | 'rings'>;

/** Payments of an order that are over without money: another may be tried. */
const OVER: readonly ChargeStatus[] = ['failed', 'canceled', 'declined'];

/** Index: payment_transitions_pkey. */
const ADD_TRANSITIONS = `
  INSERT INTO payment_transitions (payment, sequence, from_status, to_status, reason, source, actor, event)
  SELECT
    step.payment,
    1 + coalesce((SELECT max(sequence) FROM payment_transitions AS earlier WHERE earlier.payment = step.payment), 0),
    step.from_status, step.to_status, step.reason, step.source, step.actor, step.event
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[])
    AS step (payment, from_status, to_status, reason, source, actor, event)`;

/** Index: payments_next_check_at_idx. SKIP LOCKED: several processes share the work. What is taken is due again later by itself. */
const TAKE_DUE = `
  UPDATE payments
  SET
    checks = checks + 1,
    next_check_at = clock_timestamp() + least($2 * power(2, least(checks, 20)), $3) * interval '1 millisecond'
  WHERE id IN (
    SELECT id
    FROM payments
    WHERE next_check_at <= clock_timestamp()
    ORDER BY next_check_at
    LIMIT $1
    FOR NO KEY UPDATE SKIP LOCKED
  )
  RETURNING id, rings`;

/** What the provider is asked about by itself. Indexes: payment_refunds_payment_idx, provider_operations_payment_idx. */
const IS_OPEN = `
  (
    status IN ('created', 'requires_action', 'processing', 'requires_capture')
    OR EXISTS (
      SELECT 1 FROM payment_refunds AS refund
      WHERE refund.payment = payments.id AND refund.status IN ('pending', 'requires_action')
    )
    OR EXISTS (
      SELECT 1 FROM provider_operations AS operation
      WHERE operation.payment = payments.id AND operation.outcome IN ('pending', 'unknown')
    )
  )`;

const WATCH = `
  UPDATE payments
  SET
    checks = 0,
    next_check_at = CASE WHEN rings > 0 OR ${IS_OPEN} THEN clock_timestamp() + $2 * interval '1 millisecond' END
  WHERE id = ANY ($1::uuid[])`;

/** Index: the primary key. */
const LOOK = `UPDATE payments SET checks = 0, next_check_at = clock_timestamp() WHERE id = ANY ($1::uuid[])`;

/** Index: the primary key. */
const RING = `
  UPDATE payments SET rings = rings + 1, checks = 0, next_check_at = clock_timestamp() WHERE id = ANY ($1::uuid[])`;

/** What is to be asked about since then stays due. Index: the primary key. */
const REST = `
  UPDATE payments
  SET rings = 0, next_check_at = CASE WHEN ${IS_OPEN} THEN next_check_at END
  WHERE id = $1 AND rings = $2 AND next_check_at > clock_timestamp()`;

/** Milliseconds: the first look at something open, doubled each time, and the longest. */
const FIRST_CHECK = 5000;
const LONGEST_CHECK = 3_600_000;

/** Payments and the history of their charges. */
@Injectable()
export class PaymentsRepository {
  constructor(@InjectRepository(Payment) private readonly payments: Repository<Payment>) {}

  async insert(tx: EntityManager, payment: NewPayment): Promise<void> {
    await tx.withRepository(this.payments).insert({ ...payment, status: 'created' } as QueryDeepPartialEntity<Payment>);
  }

  /** For a change: until `tx` ends nobody else changes it. */
  lock(tx: EntityManager, id: PaymentId): Promise<Payment | null> {
    return tx.withRepository(this.payments).findOne({ where: { id }, lock: { mode: 'pessimistic_write' } });
  }

  /**
   * The same of many, in the order of their ids, so that those who lock several this way cannot wait for one another.
   *
   * @returns those there are, by id
   */
  async lockAll(tx: EntityManager, ids: readonly PaymentId[]): Promise<ReadonlyMap<PaymentId, Payment>> {
    const found = await tx
      .withRepository(this.payments)
      .find({ where: { id: In([...ids]) }, order: { id: 'ASC' }, lock: { mode: 'pessimistic_write' } });
    return new Map(found.map((payment) => [payment.id, payment]));
  }

  find(id: PaymentId): Promise<Payment | null> {
    return this.payments.findOneBy({ id });
  }

  /** One that stands in the way of another for the same order: from here on until `tx` ends nobody else looks. */
  async openFor(tx: EntityManager, userId: string, reference: string): Promise<Payment | null> {
    await lockName(tx, `payment ${userId} ${reference}`);
    return tx.withRepository(this.payments).findOneBy({ userId, reference, status: Not(In(OVER)) });
  }

  /** Newest first. @returns those with this reference, or else the one the provider calls so */
  async findByReference(userId: string | undefined, reference: string): Promise<Payment[]> {
    const whose = userId === undefined ? {} : { userId };
    const own = await this.payments.find({ where: { ...whose, reference }, order: { id: 'DESC' }, take: 50 });
    return own.length > 0 ? own : this.payments.find({ where: { ...whose, providerReference: reference }, take: 2 });
  }

  /** Index: payments_provider_reference_key. */
  ofProvider(tx: EntityManager, provider: PaymentProviderName, providerReference: string): Promise<Payment | null> {
    return tx.withRepository(this.payments).findOneBy({ provider, providerReference });
  }

  /** Newest first. Ids are version 7: their order is that of creation. */
  list(filter: PaymentFilter, before: string | undefined, limit: number): Promise<Payment[]> {
    const query = this.payments.createQueryBuilder('payment').orderBy('payment.id', 'DESC').take(limit);
    const { userId, status, provider, reference, from, to, metadata } = filter;
    if (before !== undefined) query.andWhere('payment.id < :before', { before });
    if (userId !== undefined) query.andWhere('payment.userId = :userId', { userId });
    if (status !== undefined) query.andWhere('payment.status = :status', { status });
    if (provider !== undefined) query.andWhere('payment.provider = :provider', { provider });
    if (reference !== undefined) query.andWhere('payment.reference = :reference', { reference });
    if (from !== undefined) query.andWhere('payment.createdAt >= :from', { from });
    if (to !== undefined) query.andWhere('payment.createdAt < :to', { to });
    if (metadata !== undefined) query.andWhere('payment.metadata @> :metadata', { metadata: JSON.stringify(metadata) });
    return query.getMany();
  }

  /** Newest first. Index: payments_review_idx. */
  inReview(before: string | undefined, limit: number): Promise<Payment[]> {
    return this.payments.find({
      where: {
        review: Not(IsNull()),
        ...(before !== undefined && { id: LessThan(before as PaymentId) }),
      },
      order: { id: 'DESC' },
      take: limit,
    });
  }

  async change(tx: EntityManager, id: PaymentId, change: PaymentChange): Promise<void> {
    await tx.withRepository(this.payments).update({ id }, { ...change, updatedAt: () => 'clock_timestamp()' });
  }

  /** Somebody has looked at it and approved: no rule holds it back any more. */
  async release(tx: EntityManager, id: PaymentId): Promise<void> {
    const releasedAt = () => 'clock_timestamp()';
    await tx.withRepository(this.payments).update({ id }, { releasedAt, updatedAt: releasedAt });
  }

  async addTransition(
    tx: EntityManager,
    payment: PaymentId,
    step: { from: ChargeStatus | null; to: ChargeStatus; reason: string | null },
    cause: ChangeCause,
  ): Promise<void> {
    await this.addTransitions(tx, [{ payment, ...step, cause }]);
  }

  /** The same of many payments; none is there twice. */
  async addTransitions(tx: EntityManager, transitions: readonly ChargeTransition[]): Promise<void> {
    if (transitions.length === 0) return;
    await tx.query(ADD_TRANSITIONS, [
      transitions.map(({ payment }) => payment),
      transitions.map(({ from }) => from),
      transitions.map(({ to }) => to),
      transitions.map(({ reason }) => reason),
      transitions.map(({ cause }) => cause.source),
      transitions.map(({ cause }) => cause.actor),
      transitions.map(({ cause }) => cause.event ?? null),
    ]);
  }

  transitions(payment: PaymentId): Promise<PaymentTransition[]> {
    return this.payments.manager.find(PaymentTransition, { where: { payment }, order: { sequence: 'ASC' } });
  }

  /**
   * Something has changed: from now on the provider is asked by itself, soon at first, as long as anything is open. Not after a look
   * that has found nothing new: the next one comes later than the one before.
   */
  async watch(tx: EntityManager, ids: OneOrMany, firstCheckMs = FIRST_CHECK): Promise<void> {
    await each(tx, WATCH, ids, firstCheckMs);
  }

  /**
   * The provider has news of the charge that it does not tell, or that cannot be taken at its word: it is asked at once, outside of
   * `tx`. Once the charge is settled there is nothing more to ask.
   */
  async look(tx: EntityManager, ids: OneOrMany): Promise<void> {
    await each(tx, LOOK, ids);
  }

  /**
   * The same of refunds and disputes, also about a payment of which nothing is open, and whatever becomes of the charge meanwhile: what
   * has succeeded may go back.
   */
  async ring(tx: EntityManager, ids: OneOrMany): Promise<void> {
    await each(tx, RING, ids);
  }

  /** The provider has been asked: it is not asked again as long as nothing is open, and it did not ring meanwhile. */
  async rest({ id, rings }: DuePayment): Promise<void> {
    await this.payments.query(REST, [id, rings]);
  }

  /** @returns payments about which the provider should be asked now; each is due again later */
  async takeDue(limit: number): Promise<DuePayment[]> {
    const [rows] = await this.payments.query<[DuePayment[], number]>(TAKE_DUE, [limit, FIRST_CHECK, LONGEST_CHECK]);
    return rows;
  }
}

async function each(tx: EntityManager, statement: string, ids: OneOrMany, ...parameters: unknown[]): Promise<void> {
  const all = [ids].flat();
  if (all.length > 0) await tx.query(statement, [all, ...parameters]);
}
