import type { Stripe } from 'stripe';

/** Parameters as Stripe reads them from a form or a query: texts, and maps of them. */
export interface Parameters {
  [name: string]: string | Parameters;
}

/** An answer that says no, in Stripe's words. https://docs.stripe.com/api/errors */
export class StripeRefusal extends Error {
  constructor(
    readonly status: number,
    readonly error: { type: string; message: string } & Record<string, unknown>,
  ) {
    super(error.message);
  }

  static invalid(message: string, more: Record<string, unknown> = {}, status = 400): StripeRefusal {
    return new StripeRefusal(status, { type: 'invalid_request_error', message, ...more });
  }
}

/** @throws StripeRefusal */
type Check = (value: string | Parameters, name: string) => void;

const text: Check = (value, name) => {
  if (typeof value !== 'string')
    throw StripeRefusal.invalid(`Invalid string: ${JSON.stringify(value)}`, { param: name });
  // An empty value unsets a field.
  if (value === '')
    throw StripeRefusal.invalid(`You passed an empty string for '${name}'.`, {
      param: name,
      code: 'parameter_invalid_empty',
    });
};
const upTo =
  (most: number): Check =>
  (value, name) => {
    text(value, name);
    if ((value.length as number) > most)
      throw StripeRefusal.invalid(`Invalid string: must be at most ${most} characters`, { param: name });
  };
const integer: Check = (value, name) => {
  if (typeof value !== 'string' || !/^-?\d+$/.test(value)) {
    throw StripeRefusal.invalid(`Invalid integer: ${JSON.stringify(value)}`, {
      param: name,
      code: 'parameter_invalid_integer',
    });
  }
};
const boolean: Check = (value, name) => {
  if (value !== 'true' && value !== 'false')
    throw StripeRefusal.invalid(`Invalid boolean: ${JSON.stringify(value)}`, { param: name });
};
const oneOf =
  (...allowed: string[]): Check =>
  (value, name) => {
    if (typeof value === 'string' && allowed.includes(value)) return;
    throw StripeRefusal.invalid(`Invalid ${name}: must be one of ${allowed.join(', ')}`, { param: name });
  };
const object =
  (checks: Record<string, Check>): Check =>
  (value, name) => {
    if (typeof value === 'string') throw StripeRefusal.invalid('Invalid object', { param: name });
    checkAll(value, checks, name);
  };
/** https://docs.stripe.com/api/metadata */
const metadata: Check = (value, name) => {
  if (typeof value === 'string') throw StripeRefusal.invalid('Invalid object', { param: name });
  const entries = Object.entries(value);
  if (entries.length > 50) throw StripeRefusal.invalid('Metadata can have at most 50 keys', { param: name });
  for (const [key, each] of entries) {
    upTo(500)(each, `${name}[${key}]`);
    if (key.length > 40) throw StripeRefusal.invalid('Metadata keys can have at most 40 characters', { param: name });
  }
};
const page = { limit: integer, starting_after: text, ending_before: text };
/** `expand[0]=…`: a list comes as a map of its places. */
const texts: Check = (value, name) => {
  if (typeof value === 'string') throw StripeRefusal.invalid('Invalid array', { param: name });
  for (const [place, each] of Object.entries(value)) text(each, `${name}[${place}]`);
};
const range = object({ gt: integer, gte: integer, lt: integer, lte: integer });

/** Of what we send, and no more: whoever sends another parameter adds it here, and the types say whether Stripe has it. */
export const PARAMETERS = {
  create: {
    amount: integer,
    currency: oneOf('usd', 'eur', 'jpy', 'isk', 'ugx', 'mga', 'kwd'),
    capture_method: oneOf('automatic', 'automatic_async', 'manual'),
    automatic_payment_methods: object({ enabled: boolean, allow_redirects: oneOf('always', 'never') }),
    payment_method: text,
    confirm: boolean,
    receipt_email: upTo(800),
    description: upTo(1000),
    metadata,
  } satisfies Partial<Record<keyof Stripe.PaymentIntentCreateParams, Check>>,
  capture: { amount_to_capture: integer } satisfies Partial<Record<keyof Stripe.PaymentIntentCaptureParams, Check>>,
  cancel: {
    cancellation_reason: oneOf('duplicate', 'fraudulent', 'requested_by_customer', 'abandoned'),
  } satisfies Partial<Record<keyof Stripe.PaymentIntentCancelParams, Check>>,
  refund: { payment_intent: text, amount: integer, metadata } satisfies Partial<
    Record<keyof Stripe.RefundCreateParams, Check>
  >,
  retrieve: {},
  list: { ...page, created: range } satisfies Partial<Record<keyof Stripe.PaymentIntentListParams, Check>>,
  listRefunds: { ...page, created: range, payment_intent: text } satisfies Partial<
    Record<keyof Stripe.RefundListParams, Check>
  >,
  listDisputes: { ...page, created: range, charge: text, payment_intent: text } satisfies Partial<
    Record<keyof Stripe.DisputeListParams, Check>
  >,
  retrieveRefund: {},
  listBalanceTransactions: {
    ...page,
    created: range,
    expand: texts,
  } satisfies Partial<Record<keyof Stripe.BalanceTransactionListParams, Check>>,
} as const;

export type StripeCall = keyof typeof PARAMETERS;

/** @throws StripeRefusal for what Stripe would refuse */
export function checkParameters(call: StripeCall, given: Parameters): void {
  checkAll(given, PARAMETERS[call]);
}

function checkAll(given: Parameters, checks: Readonly<Record<string, Check>>, within?: string): void {
  for (const [name, value] of Object.entries(given)) {
    const full = within === undefined ? name : `${within}[${name}]`;
    const check = checks[name];
    if (check === undefined) {
      throw StripeRefusal.invalid(`Received unknown parameter: ${full}`, { param: full, code: 'parameter_unknown' });
    }
    check(value, full);
  }
}

/** `a=1&b[c]=2`. @throws StripeRefusal for a name that comes twice, or as text and map */
export function readParameters(encoded: string): Parameters {
  const all: Parameters = {};
  for (const [name, value] of new URLSearchParams(encoded)) {
    const [first = '', ...path] = name.split(/\]?\[|\]$/).filter((part, at) => at === 0 || part !== '');
    let at = all;
    let last = first;
    for (const part of path) {
      const next = (at[last] ??= {});
      if (typeof next === 'string') throw StripeRefusal.invalid(`Invalid object: ${name}`);
      [at, last] = [next, part];
    }
    if (at[last] !== undefined) throw StripeRefusal.invalid(`Parameter sent twice: ${name}`);
    at[last] = value;
  }
  return all;
}
