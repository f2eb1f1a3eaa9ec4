import { type PaystackReply, refusal } from './paystack-reply.js';

/** What a list takes; https://paystack.com/docs/api/transaction/#list, /refund/#list, /dispute/#list. */
const PAGING = ['perPage', 'page', 'from', 'to'];
const FILTERS: Readonly<Record<string, readonly string[]>> = {
  transaction: ['status'],
  dispute: ['status', 'transaction'],
  refund: ['currency', 'transaction'],
};
const STATUSES: Readonly<Record<string, readonly string[]>> = {
  transaction: ['failed', 'success', 'abandoned', 'reversed'],
  dispute: ['awaiting-merchant-feedback', 'awaiting-bank-feedback', 'pending', 'resolved'],
  refund: [],
};

/** An object with what a list filters by. */
export interface Listed {
  readonly createdAt: string;
  readonly status: string;
  /** The one it belongs to. */
  readonly transaction?: { readonly id: number };
  readonly shown: object;
}

/** Answers a list of one transaction or of the whole account: newest first, by pages. */
export function listOf(what: 'transaction' | 'refund' | 'dispute', all: readonly Listed[], query: URLSearchParams) {
  const given = Object.fromEntries(query);
  const wrong = faultOf(what, given);
  if (wrong !== undefined) return refusal(400, wrong, 'invalid_params');
  const { perPage = '50', page = '1', from = '1970-01-01', to = '9999-01-01', status, transaction } = given;
  const found = all
    .filter((each) => status === undefined || each.status === status)
    .filter((each) => transaction === undefined || String(each.transaction?.id) === transaction)
    .filter(({ createdAt }) => Date.parse(createdAt) >= Date.parse(from) && Date.parse(createdAt) <= Date.parse(to))
    .toSorted((a, b) => Date.parse(b.createdAt) - Date.parse(a.createdAt));
  const size = Number(perPage);
  const skipped = (Number(page) - 1) * size;
  const body = {
    status: true,
    message: `${what} list retrieved`,
    data: found.slice(skipped, skipped + size).map(({ shown }) => shown),
    meta: {
      total: found.length,
      skipped,
      perPage: size,
      page: Number(page),
      pageCount: Math.ceil(found.length / size),
    },
  };
  return { code: 200, body } satisfies PaystackReply;
}

function faultOf(what: string, given: Readonly<Record<string, string>>): string | undefined {
  const statuses = STATUSES[what] ?? [];
  const known = [...PAGING, ...(FILTERS[what] ?? [])];
  const stranger = Object.keys(given).find((name) => !known.includes(name));
  if (stranger !== undefined) return `"${stranger}" is not allowed`;
  const { perPage = '50', page = '1', from, to, status, transaction } = given;
  if (!/^[1-9]\d?$|^100$/.test(perPage)) return '"perPage" must be from 1 to 100';
  if (!/^[1-9]\d*$/.test(page)) return '"page" must be a positive number';
  if (transaction !== undefined && !/^\d+$/.test(transaction)) return '"transaction" must be an id';
  for (const [name, time] of Object.entries({ from, to })) {
    if (time !== undefined && Number.isNaN(Date.parse(time))) return `"${name}" must be a valid date`;
  }
  return status === undefined || statuses.includes(status) ? undefined : '"status" is none of a ' + what;
}
