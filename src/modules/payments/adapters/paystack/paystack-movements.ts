import { isJsonObject, type JsonObject, type JsonValue } from '../../../../kernel/exact-json.js';
import { Money } from '../../../../kernel/money.js';
import { NotExecutedError, OutcomeUnknownError } from '../../providers/payment-provider.js';
import type { Movement, MovementWindow } from '../../providers/provider-movement.js';
import { AskedTooOftenError, askPatiently, retryAfterOf } from '../patience.js';
import type { PaystackApi } from './paystack-api.js';
import { amountOf, idOf, moneyOf, objectOf, receivedOf, textOf, UnreadableObjectError } from './paystack-objects.js';
import { paymentOf, refundOf } from './paystack-reference.js';
import { disputeReportOf } from './paystack-returns.js';

/** Transactions tell their whole history: fifty stay well below a megabyte. */
const PER_PAGE = 50;
/** A dispute is listed by when it was opened, and moves money when it is resolved: the merchant has days, the bank weeks. */
const DISPUTES_LAST_MS = 60 * 86_400_000;

/** One list, and what an object of it moved. */
interface List {
  readonly path: string;
  readonly status?: string;
  /** Longer ago than the window. */
  readonly sinceMs?: number;
  /** @returns undefined for what moved nothing */
  readonly read: (data: JsonObject) => Movement | undefined;
}

/**
 * Paystack has no list of what moved, but one each of transactions, refunds and disputes. All count from when the object was made,
 * disputes from when they were resolved. https://paystack.com/docs/api/
 */
const LISTS: readonly List[] = [
  { path: '/transaction', status: 'success', read: chargeOf },
  // What was given back altogether came in before.
  { path: '/transaction', status: 'reversed', read: chargeOf },
  { path: '/refund', read: refundMovementOf },
  { path: '/dispute', status: 'resolved', sinceMs: DISPUTES_LAST_MS, read: disputeOf },
];

export async function* paystackMovements(
  api: Pick<PaystackApi, 'get'>,
  window: MovementWindow,
): AsyncGenerator<readonly Movement[]> {
  for (const list of LISTS) yield* movementsIn(api, list, window);
}

/** By numbered pages: nobody adds to a window that is over, so they do not shift. */
async function* movementsIn(
  api: Pick<PaystackApi, 'get'>,
  { path, status, sinceMs = 0, read }: List,
  { from, to, signal }: MovementWindow,
): AsyncGenerator<readonly Movement[]> {
  for (let page = 1; ; page++) {
    const query = new URLSearchParams({
      perPage: String(PER_PAGE),
      page: String(page),
      from: new Date(from.getTime() - sinceMs).toISOString(),
      to: to.toISOString(),
      ...(status !== undefined && { status }),
    });
    const { items, isLast } = await askPatiently(() => pageOf(api, `${path}?${query.toString()}`, page), signal);
    const moved = readable(() => items.map(objectOf).map(read)).filter((each) => each !== undefined);
    yield moved.filter(({ createdAt }) => createdAt >= from && createdAt < to);
    if (isLast) return;
  }
}

async function pageOf(api: Pick<PaystackApi, 'get'>, path: string, page: number) {
  const answer = await api.get(path);
  if ('refusal' in answer) {
    const { status, code, message, retryAfter } = answer.refusal;
    if (status === 429) throw new AskedTooOftenError(retryAfterOf(retryAfter));
    throw new NotExecutedError({ code, message });
  }
  if (!Array.isArray(answer.data)) throw new OutcomeUnknownError('Paystack answered with no list');
  const pages = isJsonObject(answer.meta) ? Number(answer.meta['pageCount']) : NaN;
  // A page may hold fewer than were asked for: only the count of pages tells the end, where there is one.
  const isLast = answer.data.length === 0 || (Number.isNaN(pages) ? answer.data.length < PER_PAGE : page >= pages);
  return { items: answer.data as readonly JsonValue[], isLast };
}

function chargeOf(data: JsonObject): Movement | undefined {
  const status = textOf(data, 'status');
  if (status !== 'success' && status !== 'reversed') return undefined;
  const reference = textOf(data, 'reference');
  const amount = moneyOf(receivedOf(data), data);
  const { fees } = data;
  return {
    ...PLAIN,
    id: `transaction:${idOf(data)}`,
    kind: 'charge',
    object: reference,
    charge: reference,
    payment: paymentOf(reference) ?? null,
    refund: null,
    amount,
    fee: fees === undefined || fees === null ? Money.of(0, amount.currency) : moneyOf(amountOf(data, 'fees'), data),
    createdAt: timeOf(data, 'created_at', 'createdAt'),
    isUndone: status === 'reversed',
  };
}

/** What goes back because of a dispute is listed there as well; see `PaidDisputes`. */
function refundMovementOf(data: JsonObject): Movement | undefined {
  const status = textOf(data, 'status');
  const { transaction_reference: reference } = data;
  if (status === 'failed') return undefined;
  const amount = moneyOf(amountOf(data, 'amount'), data);
  return {
    ...PLAIN,
    id: `refund:${idOf(data)}`,
    kind: 'refund',
    object: idOf(data),
    charge: typeof reference === 'string' ? reference : null,
    payment: paymentOf(reference) ?? null,
    refund: refundOf(data['merchant_note']) ?? null,
    amount: amount.negate(),
    fee: Money.of(0, amount.currency),
    createdAt: timeOf(data, 'createdAt', 'created_at'),
    isPending: status !== 'processed',
  };
}

/** What is lost is said in one place, so that the books and this list mean the same. */
function disputeOf(data: JsonObject): Movement | undefined {
  const { reference: object, movements } = disputeReportOf(data);
  const [lost] = movements;
  if (lost === undefined) return undefined;
  const reference = textOf(objectOf(data['transaction']), 'reference');
  return {
    ...PLAIN,
    id: lost.key,
    kind: 'dispute',
    object,
    charge: reference,
    payment: paymentOf(reference) ?? null,
    refund: null,
    amount: lost.amount.negate(),
    fee: Money.of(0, lost.amount.currency),
    createdAt: timeOf(data, 'resolvedAt', 'updatedAt', 'createdAt'),
  };
}

const PLAIN = { isReversal: false, isPending: false, isUndone: false, isAvailable: true } as const;

function timeOf(data: JsonObject, ...names: readonly string[]): Date {
  for (const name of names) {
    const value = data[name];
    if (typeof value === 'string' && !Number.isNaN(Date.parse(value))) return new Date(value);
  }
  throw new UnreadableObjectError(`${names[0]} is no time`);
}

function readable<Read>(read: () => Read): Read {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UnreadableObjectError)) throw error;
    throw new OutcomeUnknownError('A list of Paystack cannot be read', error);
  }
}
