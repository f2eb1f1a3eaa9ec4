import type { JsonObject } from '../../../../kernel/exact-json.js';
import { isoTime, numberFor, tokenFor } from './sample-values.js';

/** @returns an event as Paystack sends it, told apart by its reference, or by its content where it is a refund */
export function paystackSample(eventType = 'charge.success', eventId: string, timestamp: number) {
  const data = eventType.startsWith('refund.') ? refund(eventType, eventId) : transaction(eventId, timestamp);
  const body: JsonObject = { event: eventType, data };
  return { eventType, body };
}

/** `id` is left out unless the event id is one: Paystack's are numbers. */
function transaction(eventId: string, timestamp: number): JsonObject {
  return {
    ...(/^[1-9]\d{0,14}$/.test(eventId) && { id: Number(eventId) }),
    domain: 'test',
    status: 'success',
    reference: eventId,
    amount: 20000,
    message: null,
    gateway_response: 'Successful',
    paid_at: isoTime(timestamp),
    created_at: isoTime(timestamp - 30),
    channel: 'card',
    currency: 'NGN',
    ip_address: '41.242.49.37',
    metadata: { order_id: '6735' },
    fees: 300,
    customer: { ...CUSTOMER, id: numberFor(eventId, 8), customer_code: `CUS_${tokenFor(eventId, 15).toLowerCase()}` },
    authorization: {
      authorization_code: `AUTH_${tokenFor(eventId, 10).toLowerCase()}`,
      bin: '408408',
      last4: '4081',
      exp_month: '12',
      exp_year: '2030',
      card_type: 'visa',
      bank: 'TEST BANK',
      country_code: 'NG',
      brand: 'visa',
      reusable: true,
    },
  };
}

function refund(eventType: string, eventId: string): JsonObject {
  return {
    status: eventType.slice('refund.'.length),
    transaction_reference: `txn_${tokenFor(eventId, 15).toLowerCase()}`,
    refund_reference: eventId,
    amount: 10000,
    currency: 'NGN',
    processor: 'instant-transfer',
    customer: CUSTOMER,
    integration: 412829,
    domain: 'test',
  };
}

const CUSTOMER = { first_name: 'Damilola', last_name: 'Odujoko', email: 'damilola@example.com' };
