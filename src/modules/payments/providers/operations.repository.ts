import { Inject, Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, In, Not, Repository } from 'typeorm';
import { CONFIG, type Config } from '../../../config/index.js';
import { type IdempotencyClaim, IdempotencyKeyReusedError } from '../../../platform/idempotency/index.js';
import { lockName } from '../../../platform/transaction/index.js';
import type { PaymentFailure, PaymentId } from '../payment.js';
import { type OperationKind, type OperationOutcome, ProviderOperation } from './provider-operation.entity.js';

const OPEN: readonly OperationOutcome[] = ['pending', 'unknown'];

export interface NewOperation {
  readonly id: string;
  readonly payment: PaymentId;
  readonly kind: OperationKind;
  readonly refund?: string;
  readonly amount?: bigint;
  readonly claim?: IdempotencyClaim | undefined;
}

/** Milliseconds since it was sent, by the database's clock. */
const AGE = `SELECT extract(epoch FROM clock_timestamp() - created_at) * 1000 AS ms FROM provider_operations WHERE id = $1`;

/** Calls that were carried out, as their charge shows. */
export interface ProvenCalls {
  readonly payment: PaymentId;
  readonly kinds: readonly OperationKind[];
}

/** Index: provider_operations_open_key. */
const PROVE = `
  UPDATE provider_operations AS operation
  SET outcome = 'succeeded', finished_at = clock_timestamp()
  FROM unnest($1::uuid[], $2::text[]) AS shown (payment, kind)
  WHERE operation.payment = shown.payment AND operation.kind = shown.kind
    AND operation.outcome IN ('pending', 'unknown') AND operation.kind <> 'refund'`;

/** Calls to providers, as they were meant and as they ended. */
@Injectable()
export class OperationsRepository {
  constructor(
    @InjectRepository(ProviderOperation) private readonly operations: Repository<ProviderOperation>,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  async insert(tx: EntityManager, { id, payment, kind, refund, amount, claim }: NewOperation): Promise<void> {
    await tx.withRepository(this.operations).insert({
      id,
      payment,
      kind,
      refund: refund ?? null,
      amount: amount === undefined ? null : String(amount),
      requestScope: claim?.scope ?? null,
      requestKey: claim?.key ?? null,
      requestFingerprint: claim?.fingerprint ?? null,
    });
  }

  /** @returns false for a call that is over already: it stays as it ended */
  async finish(
    tx: EntityManager,
    id: string,
    outcome: OperationOutcome,
    failure: PaymentFailure | null = null,
  ): Promise<boolean> {
    const { affected } = await tx
      .withRepository(this.operations)
      .update({ id, outcome: In(OPEN) }, { outcome, failure, finishedAt: () => 'clock_timestamp()' });
    return affected === 1;
  }

  /** What the provider shows proves that these calls were carried out. */
  async prove(tx: EntityManager, calls: readonly ProvenCalls[]): Promise<void> {
    const pairs = calls.flatMap(({ payment, kinds }) => kinds.map((kind) => ({ payment, kind })));
    if (pairs.length === 0) return;
    await tx.query(PROVE, [pairs.map(({ payment }) => payment), pairs.map(({ kind }) => kind)]);
  }

  /** Those that are open have succeeded; the others stay as they ended. */
  async succeed(tx: EntityManager, ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    await tx
      .withRepository(this.operations)
      .update({ id: In([...ids]), outcome: In(OPEN) }, { outcome: 'succeeded', finishedAt: () => 'clock_timestamp()' });
  }

  get(id: string): Promise<ProviderOperation> {
    return this.operations.findOneByOrFail({ id });
  }

  of(payment: PaymentId): Promise<ProviderOperation[]> {
    return this.operations.find({ where: { payment }, order: { id: 'ASC' } });
  }

  /** The call, other than refunds, of which nobody knows yet what became. There is at most one. */
  openOf(payment: PaymentId, by: EntityManager = this.operations.manager): Promise<ProviderOperation | null> {
    return by.findOneBy(ProviderOperation, {
      payment,
      outcome: In(OPEN),
      kind: In(['create', 'capture', 'cancel'] satisfies OperationKind[]),
    });
  }

  /** Whether there is a refund of which nobody knows yet whether it was made. */
  hasOpenRefund(tx: EntityManager, payment: PaymentId): Promise<boolean> {
    return tx.withRepository(this.operations).existsBy({ payment, outcome: In(OPEN), kind: 'refund' });
  }

  /** The call that made a refund; null for one that was made elsewhere. */
  callOf(refund: string): Promise<ProviderOperation | null> {
    return this.operations.findOneBy({ refund });
  }

  creationOf(payment: PaymentId): Promise<ProviderOperation> {
    return this.operations.findOneOrFail({ where: { payment, kind: 'create' }, order: { id: 'DESC' } });
  }

  /**
   * What an earlier attempt at the same request has begun.
   *
   * @param tx of an attempt that is about to begin: another one waits until it has ended
   * @throws IdempotencyKeyReusedError (422) when that was another request
   */
  async begunBy({ scope, key, fingerprint }: IdempotencyClaim, tx?: EntityManager): Promise<ProviderOperation | null> {
    // Attempts at one request come one after the other: each sees what the one before has begun.
    if (tx) await lockName(tx, `${scope} ${key}`);
    const begun = await (tx ?? this.operations.manager)
      .createQueryBuilder(ProviderOperation, 'operation')
      .where('operation.requestKey = :key AND operation.requestScope = :scope', { key, scope })
      // Older ones are of a request whose answer has expired: the key is free again.
      .andWhere(`operation.createdAt > now() - :hours * interval '1 hour'`, {
        hours: this.config.IDEMPOTENCY_TTL_HOURS,
      })
      .orderBy('operation.id', 'DESC')
      .getOne();
    if (begun !== null && begun.requestFingerprint !== fingerprint) throw new IdempotencyKeyReusedError();
    return begun;
  }

  /** Of these payments, the calls other than refunds of which nobody knows yet what became. */
  openOfAll(payments: readonly PaymentId[]): Promise<ProviderOperation[]> {
    return this.operations.findBy({ payment: In([...payments]), outcome: In(OPEN), kind: Not('refund') });
  }

  /** What the captures of these payments asked for; minor units. @returns none where no capture did, or it was refused */
  async askedToCapture(tx: EntityManager, payments: readonly PaymentId[]): Promise<ReadonlyMap<PaymentId, bigint>> {
    if (payments.length === 0) return new Map();
    const captures = await tx.withRepository(this.operations).find({
      where: { payment: In([...payments]), kind: 'capture', outcome: Not('failed') },
      order: { id: 'ASC' },
    });
    // The last one counts, also when it asked for everything.
    const last = new Map(captures.map(({ payment, amount }) => [payment, amount]));
    return new Map([...last].flatMap(([payment, amount]) => (amount === null ? [] : [[payment, BigInt(amount)]])));
  }

  async ageMs(id: string): Promise<number> {
    const [row] = await this.operations.query<{ ms: string }[]>(AGE, [id]);
    return Number(row?.ms ?? 0);
  }
}
