import { VoidRun } from '../bench.js';
import { PAYMENT_AMOUNT } from '../requests/payment-requests.js';
import type { Recipe } from '../requests/recipe.js';
import type { Stage } from '../stage/stage.js';
import type { Traffic } from '../workload.js';

/**
 * From each order that was sent to its payment, what the sandbox took for it, and the one posting that credited its user. $1: run,
 * $2: how many, $3: the amount.
 */
const FOUND = `
  WITH sent AS (
    SELECT 'order-' || $1::text || lpad(number::text, 8, '0') AS reference
    FROM generate_series(0, $2::integer - 1) AS number
  )
  SELECT count(*)::float8 AS intact
  FROM sent
  JOIN payments AS payment USING (reference)
  JOIN sandbox_charges AS charge ON charge.payment = payment.id AND charge.received = $3::bigint
  JOIN ledger_transfers AS transfer ON transfer.reference = 'settle:' || payment.id AND transfer.amount = $3::bigint
  JOIN ledger_accounts AS credit ON credit.id = transfer.credit_account AND credit.owner = payment.user_id
  WHERE payment.status = 'succeeded' AND payment.settled_to = 'wallet'`;

const MADE = `SELECT count(*)::float8 AS made FROM payments WHERE reference LIKE 'order-' || $1::text || '%'`;

/** Payments by users who have accounts. */
export class Payments implements Traffic {
  readonly perRequest = 1;

  constructor(private readonly stage: Stage) {}

  recipe(run: string, count: number): Recipe {
    return { of: 'payments', run, count, apiKey: this.stage.apiKey };
  }

  /** Every payment that was answered is there once, made once at the sandbox, and in its user's wallet once. */
  async verify(run: string, sent: number): Promise<void> {
    const { database } = this.stage;
    const [found] = await database.query<{ intact: number }>(FOUND, [run, sent, PAYMENT_AMOUNT]);
    const [all] = await database.query<{ made: number }>(MADE, [run]);
    if (found?.intact === sent && all?.made === sent) return;
    throw new VoidRun(`Of ${sent} payments ${found?.intact} are settled as they must be, and ${all?.made} were made`);
  }
}
