import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type { RunRef } from './movements.repository.js';
import type {
  ReconciliationBalance,
  ReconciliationCounts,
  ReconciliationFees,
  ReconciliationReport,
  ReconciliationTotal,
} from './reconciliation.js';

/** What need not be mended is counted whole, and listed up to here: of each kind. */
const MOST_NOTED = 1000;

const OPEN = `('missing_here', 'missing_there', 'amount', 'currency', 'status')`;

/** Rows that only the ledger has. */
const OF_LEDGER = `id LIKE 'ledger:%'`;

const COLUMNS = `
  uuidv7(), $1, $2, $3, outcome_kind, state, kind, id, object, payment, refund, reference, amount,
  CASE WHEN amount IS NOT NULL THEN currency END, -booked, booked_currency, moved_at, note`;

/** Index: reconciliation_movements_pkey. */
const ADD_DIFFERENCES = `
  WITH found AS (
    SELECT
      *, CASE WHEN outcome = 'healed' THEN first_outcome ELSE outcome END AS outcome_kind,
      CASE WHEN outcome = 'healed' THEN 'healed' WHEN outcome IN ${OPEN} THEN 'open' ELSE 'noted' END AS state
    FROM reconciliation_movements
    WHERE reconciliation = $1 AND (outcome IN ${OPEN} OR outcome IN ('healed', 'in_transit', 'foreign'))
  ),
  ranked AS (
    SELECT *, row_number() OVER (PARTITION BY outcome ORDER BY moved_at DESC, id) AS rank FROM found
  )
  INSERT INTO reconciliation_differences (
    id, reconciliation, provider, mode, kind, state, movement_kind, movement, object, payment, refund, reference,
    provider_amount, provider_currency, booked_amount, booked_currency, moved_at, note
  )
  SELECT ${COLUMNS}
  FROM ranked
  WHERE state <> 'noted' OR rank <= ${MOST_NOTED}
  ORDER BY moved_at, id`;

/**
 * What earlier runs found open and this one has seen as well: this report has it now, or it is gone. Indexes:
 * reconciliation_differences_open_idx, reconciliation_movements_pkey, reconciliation_movements_reference_idx.
 */
const CLOSE_EARLIER = `
  UPDATE reconciliation_differences AS earlier
  SET
    state = CASE WHEN seen.outcome IN ${OPEN} THEN 'superseded' ELSE 'resolved' END,
    resolved_by = $1, updated_at = clock_timestamp()
  FROM (
    SELECT DISTINCT ON (open.id) open.id, m.outcome
    FROM reconciliation_differences AS open
    JOIN LATERAL (
      SELECT outcome FROM reconciliation_movements WHERE reconciliation = $1 AND id = open.movement
      UNION ALL
      SELECT outcome FROM reconciliation_movements WHERE reconciliation = $1 AND reference = open.reference
    ) AS m ON true
    WHERE open.state = 'open' AND open.provider = $2 AND open.mode = $3 AND open.reconciliation <> $1
    ORDER BY open.id, m.outcome IN ${OPEN} DESC
  ) AS seen
  WHERE earlier.id = seen.id`;

/** Refunds under way that the provider does not list yet. Their ids begin with their time. Index: payment_refunds_pkey. */
const ADD_REFUNDS_UNDER_WAY = `
  INSERT INTO reconciliation_movements (
    reconciliation, id, kind, object, payment, refund, reference, currency, fee_currency, moved_at, outcome
  )
  SELECT
    $1, 'ledger:refund-paid:' || refund.id, 'refund', refund.provider_reference, payment.id, refund.id,
    'refund-paid:' || refund.id, refund.currency, refund.currency, refund.created_at, 'in_transit'
  FROM payment_refunds AS refund
  JOIN payments AS payment ON payment.id = refund.payment
  WHERE refund.id >= $4::uuid AND refund.id < $5::uuid AND refund.status IN ('pending', 'requires_action')
    AND payment.provider = $2 AND payment.mode = $3 AND NOT EXISTS (
      SELECT
      FROM reconciliation_movements
      WHERE reconciliation = $1 AND reference = 'refund-paid:' || refund.id
    )
  ON CONFLICT (reconciliation, id) DO NOTHING`;

const COUNTS = `
  SELECT
    count(*) FILTER (WHERE NOT ${OF_LEDGER})::integer AS movements,
    count(*) FILTER (WHERE outcome IN ('matched', 'nothing', 'elsewhere'))::integer AS matched,
    count(*) FILTER (WHERE outcome = 'healed')::integer AS healed,
    count(*) FILTER (WHERE outcome = 'missing_here')::integer AS "missingHere",
    count(*) FILTER (WHERE outcome = 'missing_there')::integer AS "missingThere",
    count(*) FILTER (WHERE outcome = 'amount')::integer AS amount,
    count(*) FILTER (WHERE outcome = 'currency')::integer AS currency,
    count(*) FILTER (WHERE outcome = 'status')::integer AS status,
    count(*) FILTER (WHERE outcome = 'in_transit')::integer AS "inTransit",
    count(*) FILTER (WHERE outcome = 'foreign')::integer AS "foreign"
  FROM reconciliation_movements
  WHERE reconciliation = $1`;

const TOTALS = `
  SELECT
    to_char(moved_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, currency, kind, count(*)::integer AS count,
    sum(amount)::text AS amount
  FROM reconciliation_movements
  WHERE reconciliation = $1 AND NOT ${OF_LEDGER} AND outcome NOT IN ('foreign', 'elsewhere')
  GROUP BY 1, 2, 3
  ORDER BY 1, 2, 3`;

const FEES = `
  SELECT to_char(moved_at AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, fee_currency AS currency, sum(fee)::text AS amount
  FROM reconciliation_movements
  WHERE reconciliation = $1 AND fee <> 0 AND outcome <> 'foreign'
  GROUP BY 1, 2
  ORDER BY 1, 2`;

/** Of the ledger's own rows only what differs: the rest lies outside of the window on the provider's side. */
const BALANCES = `
  WITH counted AS (
    SELECT *
    FROM reconciliation_movements
    WHERE reconciliation = $1 AND (outcome IN ${OPEN} OR (outcome IN ('matched', 'healed') AND NOT ${OF_LEDGER}))
  ),
  sides AS (
    SELECT
      currency, amount AS provider, 0 AS clearing, 0 AS in_transit,
      CASE WHEN is_available THEN 0 ELSE amount END AS unavailable
    FROM counted
    WHERE amount IS NOT NULL
    UNION ALL
    SELECT booked_currency, 0, booked, 0, 0 FROM counted WHERE booked IS NOT NULL
    UNION ALL
    SELECT currency, 0, 0, amount, 0
    FROM reconciliation_movements
    WHERE reconciliation = $1 AND outcome = 'in_transit' AND amount IS NOT NULL
  )
  SELECT
    currency, sum(provider)::text AS provider, sum(clearing)::text AS clearing, sum(in_transit)::text AS "inTransit",
    sum(unavailable)::text AS unavailable, sum(provider + clearing)::text AS difference
  FROM sides
  GROUP BY currency
  ORDER BY currency`;

/** A row whose sums are texts. */
type Sums<Row, Names extends keyof Row> = Omit<Row, Names> & Readonly<Record<Names, string>>;

/** What comes of all that a run has found. */
@Injectable()
export class ConclusionRepository {
  /** @param within ids of the window's first and last moment */
  async addRefundsUnderWay(tx: EntityManager, run: RunRef, within: readonly [string, string]): Promise<void> {
    await tx.query(ADD_REFUNDS_UNDER_WAY, [run.id, run.provider, run.mode, ...within]);
  }

  async addDifferences(tx: EntityManager, { id, provider, mode }: RunRef): Promise<void> {
    await tx.query(ADD_DIFFERENCES, [id, provider, mode]);
  }

  async closeEarlier(tx: EntityManager, { id, provider, mode }: RunRef): Promise<void> {
    await tx.query(CLOSE_EARLIER, [id, provider, mode]);
  }

  async report(tx: EntityManager, run: string): Promise<ReconciliationReport> {
    const [counts] = await tx.query<ReconciliationCounts[]>(COUNTS, [run]);
    if (counts === undefined) throw new Error('The movements of a reconciliation cannot be counted');
    const totals = await tx.query<Sums<ReconciliationTotal, 'amount'>[]>(TOTALS, [run]);
    const fees = await tx.query<Sums<ReconciliationFees, 'amount'>[]>(FEES, [run]);
    const balances = await tx.query<Sums<ReconciliationBalance, BalanceSum>[]>(BALANCES, [run]);
    return {
      counts,
      totals: totals.map((total) => ({ ...total, amount: Number(total.amount) })),
      fees: fees.map((fee) => ({ ...fee, amount: Number(fee.amount) })),
      balances: balances.map(({ currency, ...sums }) => ({
        currency,
        provider: Number(sums.provider),
        clearing: Number(sums.clearing),
        inTransit: Number(sums.inTransit),
        unavailable: Number(sums.unavailable),
        difference: Number(sums.difference),
      })),
    };
  }
}

type BalanceSum = Exclude<keyof ReconciliationBalance, 'currency'>;
