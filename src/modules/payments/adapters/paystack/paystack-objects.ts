import { isCurrency } from '../../../../kernel/currency.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../../kernel/exact-json.js';
import type { Money } from '../../../../kernel/money.js';
import { fromProviderAmount } from '../../../../kernel/provider-amount.js';
import type { ChargeReport, PaymentFailure, PaymentMode, RefundReport } from '../../payment.js';

/** Paystack said something that cannot be what it means. */
export class UnreadableObjectError extends Error {
  override readonly name = 'UnreadableObjectError';
}

/**
 * https://paystack.com/docs/payments/verify-payments/#transaction-statuses. Abandoned is no end: the customer may come back to
 * the page and pay. Reversed is one: the money came and went back before we heard of it. What is not here is under way.
 */
const CHARGES: Readonly<Record<string, ChargeReport['status']>> = {
  success: 'succeeded',
  failed: 'failed',
  reversed: 'failed',
  abandoned: 'requires_action',
  ongoing: 'requires_action',
  pending: 'processing',
  processing: 'processing',
  queued: 'processing',
};

/** https://paystack.com/docs/payments/refunds/#refund-statuses. What is not here is under way. */
const REFUNDS: Readonly<Record<string, RefundReport['status']>> = {
  pending: 'pending',
  processing: 'pending',
  processed: 'succeeded',
  failed: 'failed',
  'needs-attention': 'requires_action',
};

/**
 * A transaction as `verify` and `charge.success` show it.
 *
 * @param asked our reference of it
 * @throws UnreadableObjectError, also for another transaction
 */
export function chargeReportOf(transaction: JsonValue | undefined, asked: string): ChargeReport {
  const data = objectOf(transaction);
  if (data['reference'] !== asked) throw new UnreadableObjectError('It is another transaction');
  const status = CHARGES[textOf(data, 'status')] ?? 'processing';
  const received = status === 'succeeded' ? receivedOf(data) : 0n;
  return {
    reference: asked,
    status,
    mode: modeOf(data),
    received: moneyOf(received, data),
    ...(status === 'failed' && { failure: failureOf(data) }),
  };
}

/**
 * A refund as its creation, the list and a look at it show it.
 *
 * @throws UnreadableObjectError, also for another amount than the one asked for
 */
export function refundReportOf(refund: JsonValue | undefined, asked: Money): RefundReport {
  const data = objectOf(refund);
  const amount = moneyOf(amountOf(data, 'amount'), data);
  if (amount.minor !== asked.minor || amount.currency !== asked.currency) {
    throw new UnreadableObjectError(`The refund is one of ${amount.toDecimal()} ${amount.currency}`);
  }
  const status = REFUNDS[textOf(data, 'status')] ?? 'pending';
  return {
    reference: idOf(data),
    status,
    amount,
    ...(status === 'failed' && { failure: { code: 'refund_failed', message: 'Paystack could not refund it.' } }),
  };
}

/** Paystack's own number of it. */
export function idOf(data: JsonObject): string {
  const { id } = data;
  if (typeof id === 'string' && id !== '') return id;
  if (typeof id === 'bigint' || (typeof id === 'number' && Number.isSafeInteger(id))) return String(id);
  throw new UnreadableObjectError('It has no id');
}

/** @throws UnreadableObjectError */
export function objectOf(value: JsonValue | undefined): JsonObject {
  if (isJsonObject(value)) return value;
  throw new UnreadableObjectError('There is no object where one belongs');
}

/**
 * What came in for us: a customer who pays the fee is charged `amount`, of which `requested_amount` was asked for. Never more
 * than was paid.
 */
export function receivedOf(data: JsonObject): bigint {
  const paid = amountOf(data, 'amount');
  const { requested_amount: requested } = data;
  if (requested === undefined || requested === null) return paid;
  const asked = amountOf(data, 'requested_amount');
  return asked < paid ? asked : paid;
}

/** Subunits: a number, or a text of digits. */
export function amountOf(data: JsonObject, name: string): bigint {
  const value = data[name];
  if (typeof value === 'bigint' && value >= 0n) return value;
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return BigInt(value);
  if (typeof value === 'string' && /^\d{1,16}$/.test(value)) return BigInt(value);
  throw new UnreadableObjectError(`${name} is no amount`);
}

export function moneyOf(amount: bigint, data: JsonObject): Money {
  const currency = textOf(data, 'currency');
  if (!isCurrency(currency)) throw new UnreadableObjectError('currency is none');
  try {
    return fromProviderAmount('paystack', amount, currency);
  } catch (error) {
    throw new UnreadableObjectError(`An amount in ${currency} cannot be read`, { cause: error });
  }
}

function modeOf(data: JsonObject): PaymentMode {
  const domain = textOf(data, 'domain');
  if (domain === 'test' || domain === 'live') return domain;
  throw new UnreadableObjectError('domain is neither test nor live');
}

function failureOf(data: JsonObject): PaymentFailure {
  if (data['status'] === 'reversed') {
    return { code: 'reversed', message: 'The money went back to the customer.' };
  }
  const { gateway_response: response } = data;
  const said = typeof response === 'string' && response !== '' ? response : undefined;
  return { code: 'charge_failed', message: said ?? 'The payment failed.' };
}

export function textOf(data: JsonObject, name: string): string {
  const value = data[name];
  if (typeof value === 'string') return value;
  throw new UnreadableObjectError(`${name} is no text`);
}
