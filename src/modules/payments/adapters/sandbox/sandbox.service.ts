import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { ConflictError, NotFoundError } from '../../../../kernel/app-error.js';
import { newId } from '../../../../kernel/ids.js';
import { lockName, READ_COMMITTED, Transactor } from '../../../../platform/transaction/index.js';
import type { CaptureMode } from '../../payment.js';
import { SandboxBalance } from './sandbox-balance.js';
import { SandboxAddress } from './sandbox-address.js';
import { behaviorOf, type SandboxBehavior } from './sandbox-amounts.js';
import { SandboxCharge } from './sandbox-charge.entity.js';
import { SandboxDisputes } from './sandbox-disputes.js';
import type { ChargeObject, RefundObject } from './sandbox-objects.js';
import { SandboxRefund } from './sandbox-refund.entity.js';

export interface ChargeRequest {
  readonly payment: string;
  readonly amount: number;
  readonly currency: string;
  readonly capture: CaptureMode;
}

/** What an answer is about. */
export interface Made<Shown> {
  readonly object: Shown;
  /** False when the call had been carried out before. */
  readonly isNew: boolean;
  /** The event that tells of it, where it is to come before the answer. */
  readonly event: string | undefined;
}

const LATE = 5000;
const SOON = 2000;

const DECLINED = { code: 'card_declined', declineCode: 'insufficient_funds', message: 'The card was declined.' };

/** Charges and refunds that are due to change by themselves. */
const DUE_CHARGES = `
  SELECT id FROM sandbox_charges WHERE due_at <= clock_timestamp() ORDER BY due_at LIMIT 20 FOR UPDATE SKIP LOCKED`;
const DUE_REFUNDS = `
  SELECT id FROM sandbox_refunds WHERE due_at <= clock_timestamp() ORDER BY due_at LIMIT 20 FOR UPDATE SKIP LOCKED`;

const ADD_EVENT = `
  INSERT INTO sandbox_events (id, type, data, send_at)
  VALUES ($1, $2, $3, clock_timestamp() + $4 * interval '1 millisecond')`;

/**
 * The provider behind the sandbox: it knows nothing of payments and wallets. What it does with a charge is in its amount, see
 * `SANDBOX_AMOUNTS`.
 */
@Injectable()
export class SandboxService {
  constructor(
    private readonly transactor: Transactor,
    private readonly dataSource: DataSource,
    private readonly address: SandboxAddress,
    private readonly disputes: SandboxDisputes,
    private readonly balance: SandboxBalance,
  ) {}

  /** Once a key. @throws ConflictError for the key of another charge */
  create(request: ChargeRequest, key: string): Promise<Made<ChargeObject>> {
    // The lock of the key decides. Under SERIALIZABLE, charges of different keys made at the same time aborted each other.
    return this.transactor.run(async (tx) => {
      await lockName(tx, `sandbox ${key}`);
      const earlier = await tx.findOneBy(SandboxCharge, { createKey: key });
      if (earlier !== null) {
        if (earlier.payment !== request.payment) throw new ConflictError('This key belongs to another charge.');
        return this.repeated(earlier);
      }
      const behavior = behaviorOf(request.amount);
      const status = firstStatus(behavior, request.capture);
      const charge = tx.create(SandboxCharge, {
        id: `ch_${newId().replaceAll('-', '')}`,
        createKey: key,
        ...request,
        amount: String(request.amount),
        received: status === 'succeeded' ? String(request.amount) : '0',
        status,
        failure: status === 'failed' ? DECLINED : null,
        dueAt: null,
      });
      await tx.insert(SandboxCharge, charge);
      if (status === 'succeeded') await this.balance.received(tx, charge);
      if (behavior === 'declinedThenPaid' || behavior === 'processing')
        await changeSoon(tx, 'sandbox_charges', charge.id);
      return this.made(charge, await this.tell(tx, charge));
    }, READ_COMMITTED);
  }

  /** @throws NotFoundError */
  async find(id: string): Promise<ChargeObject> {
    return this.shown(known(await this.dataSource.manager.findOneBy(SandboxCharge, { id })));
  }

  async findByPayment(payment: string): Promise<ChargeObject[]> {
    const found = await this.dataSource.manager.findBy(SandboxCharge, { payment });
    return found.map((charge) => this.shown(charge));
  }

  capture(id: string, amount: number): Promise<Made<ChargeObject>> {
    return this.change(id, async (tx, charge) => {
      if (charge.status === 'succeeded') return this.repeated(charge);
      if (charge.status !== 'requires_capture') throw illegal(charge, 'captured');
      if (amount > Number(charge.amount)) throw new ConflictError('That is more than was authorised.');
      return this.move(tx, { ...charge, status: 'succeeded', received: String(amount), failure: null });
    });
  }

  cancel(id: string): Promise<Made<ChargeObject>> {
    return this.change(id, async (tx, charge) => {
      if (charge.status === 'canceled') return this.repeated(charge);
      if (charge.status === 'succeeded') throw illegal(charge, 'canceled');
      return this.move(tx, { ...charge, status: 'canceled' });
    });
  }

  /** The customer presses the button. */
  pay(id: string): Promise<Made<ChargeObject>> {
    return this.change(id, async (tx, charge) => {
      if (charge.status !== 'requires_action') throw illegal(charge, 'paid');
      return charge.capture === 'manual'
        ? this.move(tx, { ...charge, status: 'requires_capture' })
        : this.move(tx, { ...charge, status: 'succeeded', received: charge.amount });
    });
  }

  refund(id: string, refund: string, amount: number, key: string): Promise<Made<RefundObject>> {
    return this.change(id, async (tx, charge) => {
      const earlier = await tx.findOneBy(SandboxRefund, { key });
      if (earlier !== null) return { object: refundShown(charge, earlier), isNew: false, event: undefined };
      if (charge.status !== 'succeeded') throw illegal(charge, 'refunded');
      const others = await tx.findBy(SandboxRefund, { charge: id });
      const given = others.reduce((sum, each) => (each.status === 'failed' ? sum : sum + Number(each.amount)), 0);
      if (given + amount > Number(charge.received)) throw new ConflictError('That is more than was received.');
      const made = tx.create(SandboxRefund, {
        id: `re_${newId().replaceAll('-', '')}`,
        charge: id,
        refund,
        key,
        amount: String(amount),
        status: 'succeeded',
        dueAt: null,
      });
      await tx.insert(SandboxRefund, made);
      await this.balance.refunded(tx, charge, made, false);
      if (behaviorOf(charge.amount) === 'refundFails') await changeSoon(tx, 'sandbox_refunds', made.id);
      const object = refundShown(charge, made);
      const event = await this.addEvent(tx, 'refund.succeeded', object, 0);
      return { object, isNew: true, event: behaviorOf(amount) === 'webhookFirst' ? event : undefined };
    });
  }

  /** Somebody at the provider gives all back that is left, and nobody asked for it. @throws ConflictError */
  async refundUnasked(id: string): Promise<void> {
    const charge = await this.find(id);
    const given = (await this.refundsOf(id)).reduce(
      (sum, each) => (each.status === 'failed' ? sum : sum + each.amount),
      0,
    );
    if (given >= charge.received) throw new ConflictError('There is nothing left to refund.');
    await this.refund(id, newId(), charge.received - given, newId());
  }

  async refundsOf(id: string): Promise<RefundObject[]> {
    const charge = known(await this.dataSource.manager.findOneBy(SandboxCharge, { id }));
    const refunds = await this.dataSource.manager.findBy(SandboxRefund, { charge: id });
    return refunds.map((refund) => refundShown(charge, refund));
  }

  /** What changes by itself when its time has come. */
  async changeDue(): Promise<void> {
    await this.transactor.run(async (tx) => {
      for (const { id } of await tx.query<{ id: string }[]>(DUE_CHARGES)) {
        const charge = known(await tx.findOneBy(SandboxCharge, { id }));
        const isOver = charge.status === 'succeeded' || charge.status === 'canceled';
        if (isOver) await tx.update(SandboxCharge, { id }, { dueAt: null });
        else if (charge.capture === 'manual')
          await this.move(tx, { ...charge, status: 'requires_capture', failure: null });
        else await this.move(tx, { ...charge, status: 'succeeded', received: charge.amount, failure: null });
      }
      for (const { id } of await tx.query<{ id: string }[]>(DUE_REFUNDS)) {
        await tx.update(SandboxRefund, { id }, { status: 'failed', dueAt: null });
        const refund = known(await tx.findOneBy(SandboxRefund, { id }));
        const charge = known(await tx.findOneBy(SandboxCharge, { id: refund.charge }));
        await this.balance.refunded(tx, charge, refund, true);
        await this.addEvent(tx, 'refund.failed', refundShown(charge, refund), 0);
      }
    }, READ_COMMITTED);
  }

  private change<Shown>(
    id: string,
    work: (tx: EntityManager, charge: SandboxCharge) => Promise<Made<Shown>>,
  ): Promise<Made<Shown>> {
    return this.transactor.run(async (tx) => {
      const charge = await tx.findOne(SandboxCharge, { where: { id }, lock: { mode: 'pessimistic_write' } });
      return work(tx, known(charge));
    }, READ_COMMITTED);
  }

  private async move(tx: EntityManager, charge: SandboxCharge): Promise<Made<ChargeObject>> {
    const { id, status, received, failure } = charge;
    await tx.update(SandboxCharge, { id }, { status, received, failure, dueAt: null });
    if (status === 'succeeded') await this.balance.received(tx, charge);
    return this.made(charge, await this.tell(tx, charge));
  }

  /** @returns the event's id, where it is to come before the answer */
  private async tell(tx: EntityManager, charge: SandboxCharge): Promise<string | undefined> {
    const behavior = behaviorOf(charge.amount);
    if (charge.status === 'succeeded') await this.disputes.announce(tx, charge);
    if (behavior === 'webhookNever') return undefined;
    const [type, data] = [`charge.${charge.status}`, this.shown(charge)];
    const id = await this.addEvent(tx, type, data, behavior === 'webhookLate' ? LATE : 0);
    if (behavior === 'webhookTwice') await this.addEvent(tx, type, data, 0);
    return behavior === 'webhookFirst' ? id : undefined;
  }

  private async addEvent(tx: EntityManager, type: string, data: object, afterMs: number): Promise<string> {
    const id = newId();
    await tx.query(ADD_EVENT, [id, type, JSON.stringify(data), afterMs]);
    return id;
  }

  private made(charge: SandboxCharge, event: string | undefined): Made<ChargeObject> {
    return { object: this.shown(charge), isNew: true, event };
  }

  private repeated(charge: SandboxCharge): Made<ChargeObject> {
    return { object: this.shown(charge), isNew: false, event: undefined };
  }

  private shown(charge: SandboxCharge): ChargeObject {
    const { id, payment, amount, received, currency, status, failure } = charge;
    const url = status === 'requires_action' ? `${this.address.public}/sandbox/pay/${id}` : null;
    return {
      id,
      payment,
      amount: Number(amount),
      received: Number(received),
      currency,
      status,
      failure,
      authorization_url: url,
    };
  }
}

function firstStatus(behavior: SandboxBehavior | undefined, capture: CaptureMode): SandboxCharge['status'] {
  if (behavior === 'declined' || behavior === 'declinedThenPaid') return 'failed';
  if (behavior === 'requiresAction') return 'requires_action';
  if (behavior === 'processing') return 'processing';
  return capture === 'manual' ? 'requires_capture' : 'succeeded';
}

async function changeSoon(tx: EntityManager, table: 'sandbox_charges' | 'sandbox_refunds', id: string): Promise<void> {
  await tx.query(`UPDATE ${table} SET due_at = clock_timestamp() + $2 * interval '1 millisecond' WHERE id = $1`, [
    id,
    SOON,
  ]);
}

function refundShown({ currency }: SandboxCharge, { id, charge, refund, amount, status }: SandboxRefund): RefundObject {
  return { id, charge, refund, amount: Number(amount), currency, status };
}

function known<Row>(row: Row | null): Row {
  if (row === null) throw new NotFoundError('The sandbox does not know it.');
  return row;
}

function illegal({ status }: SandboxCharge, what: string): ConflictError {
  return new ConflictError(`A charge that is ${status} cannot be ${what}.`);
}
