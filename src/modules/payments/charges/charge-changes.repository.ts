import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { ChangeCause, ChargeStatus, PaymentId } from '../payment.js';
import type { Payment } from '../payment.entity.js';
import { IS_OPEN } from '../payments.repository.js';
import type { OperationKind } from '../providers/provider-operation.entity.js';

/** The columns of a payment that news of its charge change. */
export type ChargeColumns = Pick<
  Payment,
  | 'id'
  | 'status'
  | 'providerReference'
  | 'authorizationUrl'
  | 'accessCode'
  | 'failure'
  | 'settledAmount'
  | 'settledCurrency'
  | 'settledTo'
  | 'review'
>;

/** A step in the history of a charge, and who made it. */
export interface ChargeStep {
  readonly payment: PaymentId;
  readonly from: ChargeStatus;
  readonly to: ChargeStatus;
  readonly reason: string | null;
  readonly cause: ChangeCause;
}

/** Calls that were carried out, as their charge shows. */
export interface ProvenCalls {
  readonly payment: PaymentId;
  readonly kinds: readonly OperationKind[];
}

/** Index: payments_pkey. */
const CHANGE = `
  UPDATE payments
  SET
    status = changed.status, provider_reference = changed.provider_reference,
    authorization_url = changed.authorization_url, access_code = changed.access_code, failure = changed.failure::jsonb,
    settled_amount = changed.settled_amount, settled_currency = changed.settled_currency, settled_to = changed.settled_to,
    review = changed.review, updated_at = clock_timestamp()
  FROM unnest(
    $1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[], $9::text[], $10::text[]
  ) AS changed (
    id, status, provider_reference, authorization_url, access_code, failure, settled_amount, settled_currency, settled_to, review
  )
  WHERE payments.id = changed.id`;

/** Index: payment_transitions_pkey. One step of a payment at a time. */
const ADD_STEPS = `
  INSERT INTO payment_transitions (payment, sequence, from_status, to_status, reason, source, actor, event)
  SELECT
    step.payment,
    1 + coalesce((SELECT max(sequence) FROM payment_transitions AS earlier WHERE earlier.payment = step.payment), 0),
    step.from_status, step.to_status, step.reason, step.source, step.actor, step.event
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[])
    AS step (payment, from_status, to_status, reason, source, actor, event)`;

/** Index: provider_operations_open_key. */
const PROVE = `
  UPDATE provider_operations AS operation
  SET outcome = 'succeeded', finished_at = clock_timestamp()
  FROM unnest($1::uuid[], $2::text[]) AS shown (payment, kind)
  WHERE operation.payment = shown.payment AND operation.kind = shown.kind
    AND operation.outcome IN ('pending', 'unknown') AND operation.kind <> 'refund'`;

/** Indexes: payments_pkey, and those of IS_OPEN. */
const WATCH = `
  UPDATE payments
  SET
    checks = 0,
    next_check_at = CASE WHEN rings > 0 OR ${IS_OPEN} THEN clock_timestamp() + $2 * interval '1 millisecond' END
  WHERE id = ANY ($1::uuid[])`;

/** Index: payments_pkey. */
const LOOK = `UPDATE payments SET checks = 0, next_check_at = clock_timestamp() WHERE id = ANY ($1::uuid[])`;

/** Index: payments_pkey. */
const RING = `
  UPDATE payments SET rings = rings + 1, checks = 0, next_check_at = clock_timestamp() WHERE id = ANY ($1::uuid[])`;

/** Milliseconds, as after every change. */
const FIRST_CHECK = 5000;

/** Writes what news changed in many charges. Each is locked, and none is twice in a list. */
@Injectable()
export class ChargeChangesRepository {
  async change(tx: EntityManager, charges: readonly ChargeColumns[]): Promise<void> {
    if (charges.length === 0) return;
    await tx.query(CHANGE, [
      charges.map(({ id }) => id),
      charges.map(({ status }) => status),
      charges.map(({ providerReference }) => providerReference),
      charges.map(({ authorizationUrl }) => authorizationUrl),
      charges.map(({ accessCode }) => accessCode),
      charges.map(({ failure }) => (failure === null ? null : JSON.stringify(failure))),
      charges.map(({ settledAmount }) => settledAmount),
      charges.map(({ settledCurrency }) => settledCurrency),
      charges.map(({ settledTo }) => settledTo),
      charges.map(({ review }) => review),
    ]);
  }

  async addSteps(tx: EntityManager, steps: readonly ChargeStep[]): Promise<void> {
    if (steps.length === 0) return;
    await tx.query(ADD_STEPS, [
      steps.map(({ payment }) => payment),
      steps.map(({ from }) => from),
      steps.map(({ to }) => to),
      steps.map(({ reason }) => reason),
      steps.map(({ cause }) => cause.source),
      steps.map(({ cause }) => cause.actor),
      steps.map(({ cause }) => cause.event ?? null),
    ]);
  }

  /** What the provider shows proves that these calls were carried out. */
  async prove(tx: EntityManager, calls: readonly ProvenCalls[]): Promise<void> {
    const pairs = calls.flatMap(({ payment, kinds }) => kinds.map((kind) => ({ payment, kind })));
    if (pairs.length === 0) return;
    await tx.query(PROVE, [pairs.map(({ payment }) => payment), pairs.map(({ kind }) => kind)]);
  }

  /** See `PaymentsRepository`, as for the two below. */
  async watch(tx: EntityManager, ids: readonly PaymentId[]): Promise<void> {
    if (ids.length > 0) await tx.query(WATCH, [ids, FIRST_CHECK]);
  }

  async look(tx: EntityManager, ids: readonly PaymentId[]): Promise<void> {
    if (ids.length > 0) await tx.query(LOOK, [ids]);
  }

  async ring(tx: EntityManager, ids: readonly PaymentId[]): Promise<void> {
    if (ids.length > 0) await tx.query(RING, [ids]);
  }
}
