import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { newId } from '../../../../kernel/ids.js';
import type { SandboxCharge } from './sandbox-charge.entity.js';
import type { SandboxDispute } from './sandbox-dispute.entity.js';
import { SandboxMovement } from './sandbox-movement.entity.js';
import type { MovementListObject, MovementObject } from './sandbox-objects.js';
import type { SandboxRefund } from './sandbox-refund.entity.js';

/** Index: sandbox_movements_created_at_idx. */
const LIST = `
  SELECT id, kind, object, charge, payment, refund, amount::float8, currency, created_at
  FROM sandbox_movements
  WHERE created_at >= $1 AND created_at < $2
    AND ($3::uuid IS NULL OR (created_at, id) > (SELECT created_at, id FROM sandbox_movements WHERE id = $3))
  ORDER BY created_at, id
  LIMIT $4`;

/** What the sandbox holds for its caller, movement by movement. */
@Injectable()
export class SandboxBalance {
  constructor(private readonly dataSource: DataSource) {}

  /** In the transaction in which the charge succeeds. */
  async received(tx: EntityManager, { id, payment, received, currency }: SandboxCharge): Promise<void> {
    await tx.insert(SandboxMovement, {
      id: newId(),
      kind: 'charge',
      object: id,
      charge: id,
      payment,
      refund: null,
      amount: received,
      currency,
    });
  }

  /** In the transaction in which the refund is made, or sent back by the customer's bank. */
  async refunded(tx: EntityManager, charge: SandboxCharge, refund: SandboxRefund, isSentBack: boolean): Promise<void> {
    await tx.insert(SandboxMovement, {
      id: newId(),
      kind: 'refund',
      object: refund.id,
      charge: charge.id,
      payment: charge.payment,
      refund: refund.refund,
      amount: isSentBack ? refund.amount : `-${refund.amount}`,
      currency: charge.currency,
    });
  }

  /** In the transaction in which the dispute takes the money, or gives it back. */
  async disputed(
    tx: EntityManager,
    charge: SandboxCharge,
    dispute: SandboxDispute,
    isGivenBack: boolean,
  ): Promise<void> {
    await tx.insert(SandboxMovement, {
      id: newId(),
      kind: isGivenBack ? 'reinstatement' : 'dispute',
      object: dispute.id,
      charge: charge.id,
      payment: charge.payment,
      refund: null,
      amount: isGivenBack ? dispute.amount : `-${dispute.amount}`,
      currency: charge.currency,
    });
  }

  /** Oldest first, after the one with that id. */
  async list(from: string, to: string, after: string | undefined, limit: number): Promise<MovementListObject> {
    const rows = await this.dataSource.query<MovementObject[]>(LIST, [from, to, after ?? null, limit + 1]);
    return { data: rows.slice(0, limit), has_more: rows.length > limit };
  }
}
