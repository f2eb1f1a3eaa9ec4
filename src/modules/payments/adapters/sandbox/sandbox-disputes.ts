import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { ConflictError, NotFoundError } from '../../../../kernel/app-error.js';
import { newId } from '../../../../kernel/ids.js';
import { READ_COMMITTED, Transactor } from '../../../../platform/transaction/index.js';
import { behaviorOf } from './sandbox-amounts.js';
import { SandboxCharge } from './sandbox-charge.entity.js';
import { SandboxDispute } from './sandbox-dispute.entity.js';
import { SandboxBalance } from './sandbox-balance.js';
import { type DisputeObject, disputeMovementId } from './sandbox-objects.js';

/** Milliseconds until something changes by itself. */
const SOON = 2000;

const ANNOUNCE = `
  INSERT INTO sandbox_disputes (id, charge, amount, status, due_at)
  VALUES ($1, $2, $3, 'announced', clock_timestamp() + $4 * interval '1 millisecond')
  ON CONFLICT (charge) DO NOTHING`;

const DUE = `
  SELECT id FROM sandbox_disputes WHERE due_at <= clock_timestamp() ORDER BY due_at LIMIT 20 FOR UPDATE SKIP LOCKED`;

const MOVE = `
  UPDATE sandbox_disputes
  SET status = $2, due_at = CASE WHEN $3::integer > 0 THEN clock_timestamp() + $3 * interval '1 millisecond' END
  WHERE id = $1`;

const ADD_EVENT = `INSERT INTO sandbox_events (id, type, data, send_at) VALUES ($1, $2, $3, clock_timestamp())`;

/** Customers of the sandbox who want their money back: which, is in the amount of the charge. */
@Injectable()
export class SandboxDisputes {
  constructor(
    private readonly transactor: Transactor,
    private readonly dataSource: DataSource,
    private readonly balance: SandboxBalance,
  ) {}

  /** A charge has succeeded: its customer may dispute it in a moment. */
  async announce(tx: EntityManager, { id, amount, received }: SandboxCharge): Promise<void> {
    const behavior = behaviorOf(amount);
    if (behavior !== 'disputed' && behavior !== 'disputeWon') return;
    await tx.query(ANNOUNCE, [`dp_${newId().replaceAll('-', '')}`, id, received, SOON]);
  }

  /** What changes by itself when its time has come. */
  async changeDue(): Promise<void> {
    await this.transactor.run(async (tx) => {
      for (const { id } of await tx.query<{ id: string }[]>(DUE)) {
        const dispute = await tx.findOneByOrFail(SandboxDispute, { id });
        const charge = await tx.findOneByOrFail(SandboxCharge, { id: dispute.charge });
        if (dispute.status !== 'announced') await this.move(tx, charge, dispute, 'won');
        else {
          const isWon = behaviorOf(charge.amount) === 'disputeWon';
          await this.move(tx, charge, dispute, 'needs_response', isWon ? SOON : 0);
        }
      }
    }, READ_COMMITTED);
  }

  /** Somebody decides it. @throws NotFoundError, ConflictError for one that is decided */
  async decide(chargeId: string, status: 'won' | 'lost'): Promise<void> {
    await this.transactor.run(async (tx) => {
      const where = { charge: chargeId };
      const dispute = await tx.findOne(SandboxDispute, { where, lock: { mode: 'pessimistic_write' } });
      if (dispute === null) throw new NotFoundError('The sandbox does not know it.');
      if (dispute.status !== 'needs_response') throw new ConflictError('This dispute is not open.');
      const charge = await tx.findOneByOrFail(SandboxCharge, { id: chargeId });
      await this.move(tx, charge, dispute, status);
    }, READ_COMMITTED);
  }

  /** Those that have been made of a charge. */
  async of(charge: string): Promise<DisputeObject[]> {
    const { manager } = this.dataSource;
    const [dispute, of] = await Promise.all([
      manager.findOneBy(SandboxDispute, { charge }),
      manager.findOneBy(SandboxCharge, { id: charge }),
    ]);
    return dispute === null || of === null || dispute.status === 'announced' ? [] : [shown(of, dispute)];
  }

  private async move(
    tx: EntityManager,
    charge: SandboxCharge,
    dispute: SandboxDispute,
    status: Exclude<SandboxDispute['status'], 'announced'>,
    thenAfterMs = 0,
  ): Promise<void> {
    await tx.query(MOVE, [dispute.id, status, thenAfterMs]);
    // Lost, the money stays where it went when the dispute was opened.
    if (status !== 'lost') await this.balance.disputed(tx, charge, dispute, status === 'won');
    const object = shown(charge, { ...dispute, status });
    await tx.query(ADD_EVENT, [newId(), `dispute.${status}`, JSON.stringify(object)]);
  }
}

function shown({ payment, currency }: SandboxCharge, dispute: SandboxDispute): DisputeObject {
  const { id, charge, status, createdAt } = dispute;
  const amount = Number(dispute.amount);
  const withdrawn = { id: disputeMovementId(id, 'withdrawn'), kind: 'withdrawn', amount } as const;
  const reinstated = { id: disputeMovementId(id, 'reinstated'), kind: 'reinstated', amount } as const;
  return {
    id,
    charge,
    payment,
    amount,
    currency,
    status,
    created_at: createdAt.toISOString(),
    movements: status === 'won' ? [withdrawn, reinstated] : [withdrawn],
  };
}
