import { createHash } from 'node:crypto';
import { USERS } from './users.js';

/** Names the transfers of a run. */
export interface TransferRun {
  /** Unlike any run before; letters and digits. */
  run: string;
  /** The number of a user who is on one side of every transfer; null for random users on both. */
  hot: number | null;
}

export interface PlannedTransfer {
  /** Numbers of users. */
  from: number;
  to: number;
  /** Always three digits. */
  amount: number;
}

/** Half of the way: in whichever order accounts are locked, as many come before it as after it. */
export const HOT_USER = USERS / 2;

/** A UUID, the idempotency key of the request with this number; as random as those of clients. */
export function keyOf(run: string, request: number): string {
  return uuidOf(digest(`${run}:request:${request}`));
}

/** Random, and the same whenever it is asked for. `PLANNED_TRANSFERS` computes it in SQL. */
export function plannedTransfer({ run, hot }: TransferRun, index: number): PlannedTransfer {
  const hex = digest(`${run}:${index}`);
  const amount = 100 + (Number.parseInt(hex.slice(14, 18), 16) % 900);
  const first = hot ?? Number.parseInt(hex.slice(0, 7), 16) % USERS;
  const second = (first + 1 + (Number.parseInt(hex.slice(7, 14), 16) % (USERS - 1))) % USERS;
  const isForward = Number.parseInt(hex.slice(18, 19), 16) % 2 === 0;
  return isForward ? { from: first, to: second, amount } : { from: second, to: first, amount };
}

/**
 * The same as rows `(number, request, key, debit, credit, amount)` of users' ids. $1: run, $2: hot, $3: how many,
 * $4: how many in a request.
 */
export const PLANNED_TRANSFERS = `
  WITH hashed AS (
    SELECT
      number,
      number / $4::integer AS request,
      md5($1::text || ':request:' || number / $4::integer)::uuid::text AS key,
      md5($1::text || ':' || number) AS hex
    FROM generate_series(0, $3::integer - 1) AS number
  ),
  first AS (
    SELECT *, coalesce($2::integer, ('x' || substr(hex, 1, 7))::bit(28)::integer % ${USERS}) AS first FROM hashed
  ),
  second AS (
    SELECT *, (first + 1 + ('x' || substr(hex, 8, 7))::bit(28)::integer % ${USERS - 1}) % ${USERS} AS second FROM first
  ),
  directed AS (
    SELECT *, ('x' || substr(hex, 19, 1))::bit(4)::integer % 2 = 0 AS is_forward FROM second
  )
  SELECT
    number,
    request,
    key,
    'user-' || lpad((CASE WHEN is_forward THEN first ELSE second END)::text, 5, '0') AS debit,
    'user-' || lpad((CASE WHEN is_forward THEN second ELSE first END)::text, 5, '0') AS credit,
    100 + ('x' || substr(hex, 15, 4))::bit(16)::integer % 900 AS amount
  FROM directed`;

function digest(text: string): string {
  return createHash('md5').update(text).digest('hex');
}

function uuidOf(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
