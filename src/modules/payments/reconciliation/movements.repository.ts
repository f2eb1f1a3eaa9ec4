import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { Currency } from '../../../kernel/currency.js';
import { Money } from '../../../kernel/money.js';
import { READ_COMMITTED, Transactor } from '../../../platform/transaction/index.js';
import type { PaymentMode, PaymentProviderName } from '../payment.js';
import type { Movement, MovementKind } from '../providers/provider-movement.js';
import type { Outcome } from './reconciliation.js';

/** A movement, and whose it is here by its own ids. */
export interface MovementToCompare {
  readonly id: string;
  readonly kind: MovementKind;
  readonly object: string | null;
  readonly amount: Money;
  readonly isReversal: boolean;
  readonly isPending: boolean;
  readonly isUndone: boolean;
  readonly isClaimed: boolean;
  readonly payment: string | null;
  readonly refund: string | null;
  readonly dispute: string | null;
}

/** What comparing a movement came to. */
export interface ComparedMovement {
  readonly id: string;
  readonly outcome: Outcome;
  readonly payment: string | null;
  readonly refund: string | null;
  readonly reference: string | null;
  /** On the clearing account. */
  readonly booked: Money | undefined;
}

/** What is read again was not compared yet, or stays as it was found. Index: reconciliation_movements_pkey. */
const ADD = `
  INSERT INTO reconciliation_movements (
    reconciliation, id, kind, object, charge, claimed_payment, claimed_refund, amount, currency, fee, fee_currency,
    moved_at, is_reversal, is_pending, is_undone, is_available
  )
  SELECT $1, *
  FROM unnest(
    $2::text[], $3::text[], $4::text[], $5::text[], $6::uuid[], $7::uuid[], $8::bigint[], $9::text[], $10::bigint[],
    $11::text[], $12::timestamptz[], $13::boolean[], $14::boolean[], $15::boolean[], $16::boolean[]
  )
  ON CONFLICT (reconciliation, id) DO NOTHING`;

/**
 * A charge that names a payment of ours is that payment's unless the payment has another. Indexes:
 * payments_provider_reference_key, payments_pkey, disputes_provider_reference_key;
 * payment_refunds_provider_reference_key, payment_refunds_pkey.
 */
const TO_COMPARE = `
  SELECT
    m.id, m.kind, m.object, m.amount, m.currency, m.is_reversal, m.is_pending, m.is_undone, r.id AS refund,
    d.id AS dispute, m.claimed_payment IS NOT NULL OR m.claimed_refund IS NOT NULL AS is_claimed,
    coalesce(p.id, r.payment, d.payment) AS payment
  FROM page AS m
  LEFT JOIN LATERAL (
    SELECT id FROM payments WHERE provider_reference = m.charge AND provider = $2 AND mode = $3
    UNION ALL
    SELECT id
    FROM payments
    WHERE id = m.claimed_payment AND provider = $2 AND mode = $3
      AND (provider_reference IS NULL OR m.charge IS NULL OR provider_reference = m.charge)
    LIMIT 1
  ) AS p ON true
  LEFT JOIN LATERAL (
    SELECT refund.id, refund.payment
    FROM payment_refunds AS refund
    JOIN payments AS payment ON payment.id = refund.payment
    WHERE m.kind = 'refund' AND payment.provider = $2 AND payment.mode = $3
      AND (
        refund.provider_reference = m.object OR (refund.id = m.claimed_refund AND refund.provider_reference IS NULL)
      )
      AND (p.id IS NULL OR refund.payment = p.id)
    LIMIT 1
  ) AS r ON true
  LEFT JOIN disputes AS d
    ON m.kind IN ('dispute', 'reinstatement') AND d.provider_reference = m.object AND d.provider = $2 AND d.mode = $3
    AND (p.id IS NULL OR d.payment = p.id)
  ORDER BY m.id`;

/** What asking again may mend. */
const OPEN = `('missing_here', 'amount', 'currency', 'status')`;

/** Index: reconciliation_movements_pkey. */
const NEXT = `
  WITH page AS MATERIALIZED (
    SELECT *
    FROM reconciliation_movements
    WHERE reconciliation = $1 AND outcome IS NULL AND id > $4
    ORDER BY reconciliation, id
    LIMIT $5
  )
  ${TO_COMPARE}`;

/**
 * The table was filled a moment ago and nobody has counted its rows: planned by guess, each page sorts all that is left, and 100,000
 * movements take 72 s instead of 31.
 */
const BY_INDEX = `SET LOCAL enable_sort = off`;

/** Index: reconciliation_movements_payment_idx. */
const DIFFERING = `
  WITH page AS MATERIALIZED (
    SELECT * FROM reconciliation_movements WHERE reconciliation = $1 AND payment = $4 AND outcome IN ${OPEN}
  )
  ${TO_COMPARE}`;

/** Index: reconciliation_movements_pkey. */
const COMPARED = `
  UPDATE reconciliation_movements AS m
  SET
    outcome = found.outcome, first_outcome = coalesce(m.first_outcome, found.outcome), payment = found.payment, refund = found.refund, reference = found.reference,
    booked = found.booked, booked_currency = found.booked_currency
  FROM unnest($2::text[], $3::text[], $4::uuid[], $5::uuid[], $6::text[], $7::bigint[], $8::text[])
    AS found (id, outcome, payment, refund, reference, booked, booked_currency)
  WHERE m.reconciliation = $1 AND m.id = found.id`;

/** Index: reconciliation_movements_pkey. */
const ELSEWHERE = `
  UPDATE reconciliation_movements SET outcome = 'elsewhere', note = $3 WHERE reconciliation = $1 AND id = ANY ($2::text[])`;

/** Index: reconciliation_movements_payment_idx. */
const PAYMENTS_TO_HEAL = `
  SELECT DISTINCT payment
  FROM reconciliation_movements
  WHERE reconciliation = $1 AND payment > $2::uuid AND outcome IN ${OPEN}
  ORDER BY payment
  LIMIT $3`;

/** One posting answers for one movement: a second one with the same reference is not booked. Index: reconciliation_movements_reference_idx. */
const REFUSE_TWINS = `
  UPDATE reconciliation_movements AS twin
  SET outcome = 'missing_here', booked = NULL, booked_currency = NULL, note = 'Another movement has its posting'
  WHERE twin.reconciliation = $1 AND twin.reference IS NOT NULL AND twin.booked IS NOT NULL AND EXISTS (
    SELECT
    FROM reconciliation_movements AS first
    WHERE first.reconciliation = $1 AND first.reference = twin.reference AND first.booked IS NOT NULL
      AND (first.moved_at, first.id) < (twin.moved_at, twin.id)
  )`;

/** Index: reconciliation_movements_pkey. */
const REMOVE = `
  DELETE FROM reconciliation_movements
  WHERE (reconciliation, id) IN (
    SELECT reconciliation, id FROM reconciliation_movements WHERE reconciliation = $1 LIMIT $2
  )`;

/** Before every version 7. */
const FIRST = '00000000-0000-0000-0000-000000000000';

interface ToCompareRow {
  readonly id: string;
  readonly kind: MovementKind;
  readonly object: string | null;
  readonly amount: string;
  readonly currency: Currency;
  readonly is_reversal: boolean;
  readonly is_pending: boolean;
  readonly is_undone: boolean;
  readonly is_claimed: boolean;
  readonly payment: string | null;
  readonly refund: string | null;
  readonly dispute: string | null;
}

/** The movements a run works on. */
@Injectable()
export class MovementsRepository {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transactor: Transactor,
  ) {}

  /** @returns how many were not there yet */
  async add(tx: EntityManager, run: string, movements: readonly Movement[]): Promise<number> {
    if (movements.length === 0) return 0;
    const column = <Value>(of: (movement: Movement) => Value) => movements.map(of);
    const rows = await tx.query<object[]>(`${ADD} RETURNING id`, [
      run,
      column(({ id }) => id),
      column(({ kind }) => kind),
      column(({ object }) => object),
      column(({ charge }) => charge),
      column(({ payment }) => payment),
      column(({ refund }) => refund),
      column(({ amount }) => String(amount.minor)),
      column(({ amount }) => amount.currency),
      column(({ fee }) => String(fee.minor)),
      column(({ fee }) => fee.currency),
      column(({ createdAt }) => createdAt),
      column(({ isReversal }) => isReversal),
      column(({ isPending }) => isPending),
      column(({ isUndone }) => isUndone),
      column(({ isAvailable }) => isAvailable),
    ]);
    return rows.length;
  }

  /** Those that were not compared yet, after that id. */
  async next(run: RunRef, after: string, limit: number): Promise<MovementToCompare[]> {
    const values = [run.id, run.provider, run.mode, after, limit];
    const rows = await this.transactor.run(async (tx) => {
      await tx.query(BY_INDEX);
      return tx.query<ToCompareRow[]>(NEXT, values);
    }, READ_COMMITTED);
    return rows.map(toCompare);
  }

  /** Those of a payment that differ. */
  async differing(run: RunRef, payment: string): Promise<MovementToCompare[]> {
    const values = [run.id, run.provider, run.mode, payment];
    return (await this.dataSource.query<ToCompareRow[]>(DIFFERING, values)).map(toCompare);
  }

  /** The books have its money by another movement. */
  async setElsewhere(tx: EntityManager, run: string, ids: readonly string[], note: string): Promise<void> {
    await tx.query(ELSEWHERE, [run, ids, note]);
  }

  async setCompared(tx: EntityManager, run: string, found: readonly ComparedMovement[]): Promise<void> {
    await tx.query(COMPARED, [
      run,
      found.map(({ id }) => id),
      found.map(({ outcome }) => outcome),
      found.map(({ payment }) => payment),
      found.map(({ refund }) => refund),
      found.map(({ reference }) => reference),
      found.map(({ booked }) => (booked === undefined ? null : String(booked.minor))),
      found.map(({ booked }) => booked?.currency ?? null),
    ]);
  }

  /** Payments of which something differs, after that one, in the order of their ids. */
  async paymentsToHeal(run: string, after: string | undefined, limit: number): Promise<string[]> {
    const rows = await this.dataSource.query<{ payment: string }[]>(PAYMENTS_TO_HEAL, [run, after ?? FIRST, limit]);
    return rows.map(({ payment }) => payment);
  }

  async refuseTwins(tx: EntityManager, run: string): Promise<void> {
    await tx.query(REFUSE_TWINS, [run]);
  }

  /** @returns how many were removed */
  async remove(run: string, limit: number): Promise<number> {
    const [, removed] = await this.dataSource.query<[object[], number]>(REMOVE, [run, limit]);
    return removed;
  }
}

/** What is asked about, and of whom. */
export interface RunRef {
  readonly id: string;
  readonly provider: PaymentProviderName;
  readonly mode: PaymentMode;
}

function toCompare(row: ToCompareRow): MovementToCompare {
  const { id, kind, object, payment, refund, dispute } = row;
  return {
    id,
    kind,
    object,
    payment,
    refund,
    dispute,
    amount: Money.of(BigInt(row.amount), row.currency),
    isReversal: row.is_reversal,
    isPending: row.is_pending,
    isUndone: row.is_undone,
    isClaimed: row.is_claimed,
  };
}
