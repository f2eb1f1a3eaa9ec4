/** What is counted, in the order of the columns of `payment_hours`. */
export const COUNTS = [
  'created',
  'succeeded',
  'failed',
  'canceled',
  'declined',
  'refunds',
  'returned_refunds',
  'disputes',
] as const;

/** What is summed, in minor units. */
export const VOLUMES = [
  'volume',
  'refunded_volume',
  'returned_volume',
  'withdrawn_volume',
  'reinstated_volume',
] as const;

/** The kind of event behind each figure; a movement of money is counted and summed. */
const KINDS: Readonly<Record<(typeof COUNTS)[number] | (typeof VOLUMES)[number], string>> = {
  created: 'created',
  succeeded: 'settled',
  failed: 'failed',
  canceled: 'canceled',
  declined: 'declined',
  refunds: 'refunded',
  returned_refunds: 'returned',
  disputes: 'disputed',
  volume: 'settled',
  refunded_volume: 'refunded',
  returned_volume: 'returned',
  withdrawn_volume: 'withdrawn',
  reinstated_volume: 'reinstated',
};

/**
 * What happened to payments from `starts` up to `ends`, which the statement has to have in a table `span`, as common table expressions
 * that end with `hours`. Each event has the time at which it happened and is never changed afterwards: a payment's creation, the first
 * time it came to an end, a dispute becoming known, and the entries of the clearing accounts, which are all money that moved.
 *
 * The entries at a time are found by halves, see `LedgerReadsRepository`: times do not go back along an account. Scalar subqueries,
 * because with them the planner takes the range for a small one, and for the first of a payment's steps does not read
 * them all. Indexes: payments_created_at_idx, payment_transitions_over_idx,
 * payments_pkey, payment_transitions_pkey, disputes_created_at_idx, ledger_accounts_owner_key, ledger_entries_pkey,
 * ledger_transfers_pkey.
 *
 * @param owners the parameter with the clearing accounts
 */
export function hoursOf(owners: string): string {
  return `
  account AS MATERIALIZED (
    SELECT
      id, sequence, currency, split_part(owner, ':', 2) AS provider, split_part(owner, ':', 3) AS mode
    FROM ledger_accounts
    WHERE owner = ANY (${owners}::text[]) AND kind = 'system'
  ),
  search (id, edge, low, high) AS (
    SELECT account.id, edge.at, 0::bigint, account.sequence
    FROM account
    CROSS JOIN (SELECT starts FROM span UNION SELECT ends FROM span) AS edge (at)
    UNION ALL
    SELECT
      search.id,
      search.edge,
      CASE WHEN e.created_at < edge THEN e.sequence ELSE low END,
      CASE WHEN e.created_at < edge THEN high ELSE e.sequence - 1 END
    FROM search
    CROSS JOIN LATERAL (
      SELECT sequence, created_at FROM ledger_entries WHERE account = search.id AND sequence = (low + high + 1) / 2
    ) AS e
    WHERE low < high
  ),
  part AS MATERIALIZED (
    SELECT
      id,
      max(low) FILTER (WHERE edge = (SELECT starts FROM span)) AS before,
      max(low) FILTER (WHERE edge = (SELECT ends FROM span)) AS last
    FROM search
    GROUP BY id
  ),
  event (kind, at, mode, provider, currency, amount) AS (
    SELECT 'created', created_at, mode, provider, currency, NULL::bigint
    FROM payments
    WHERE created_at >= (SELECT starts FROM span) AND created_at < (SELECT ends FROM span)
    UNION ALL
    SELECT step.to_status, step.at, payment.mode, payment.provider, payment.currency, NULL
    FROM payment_transitions AS step
    JOIN payments AS payment ON payment.id = step.payment
    WHERE step.at >= (SELECT starts FROM span) AND step.at < (SELECT ends FROM span)
      AND step.to_status IN ('failed', 'canceled', 'declined')
      AND step.sequence = (
        SELECT min(sequence) FROM payment_transitions WHERE payment = step.payment AND to_status = step.to_status
      )
    UNION ALL
    SELECT 'disputed', created_at, mode, provider, currency, NULL
    FROM disputes
    WHERE created_at >= (SELECT starts FROM span) AND created_at < (SELECT ends FROM span)
    UNION ALL
    SELECT
      CASE split_part(t.reference, ':', 1)
        WHEN 'settle' THEN 'settled'
        WHEN 'refund-paid' THEN 'refunded'
        WHEN 'refund-returned' THEN 'returned'
        WHEN 'dispute' THEN CASE WHEN e.amount > 0 THEN 'withdrawn' ELSE 'reinstated' END
      END,
      e.created_at, account.mode, account.provider, account.currency, abs(e.amount)
    FROM account
    JOIN part ON part.id = account.id
    JOIN ledger_entries AS e ON e.account = part.id AND e.sequence > part.before AND e.sequence <= part.last
    JOIN ledger_transfers AS t ON t.id = e.transfer
    WHERE t.category = 'payment'
  ),
  hours AS (
    SELECT date_trunc('hour', at, 'UTC') AS hour, mode, provider, currency, ${FIGURES}
    FROM event
    WHERE kind IS NOT NULL
    GROUP BY 1, 2, 3, 4
  )`;
}

const FIGURES = [
  ...COUNTS.map((name) => `count(*) FILTER (WHERE kind = '${KINDS[name]}') AS ${name}`),
  ...VOLUMES.map((name) => `coalesce(sum(amount) FILTER (WHERE kind = '${KINDS[name]}'), 0) AS ${name}`),
].join(', ');
