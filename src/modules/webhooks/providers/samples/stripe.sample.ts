import type { JsonObject } from '../../../../kernel/exact-json.js';
import { tokenFor } from './sample-values.js';

/** @returns an event as Stripe sends it; a type we have no object for gets a plain one */
export function stripeSample(eventType = 'payment_intent.succeeded', eventId: string, timestamp: number) {
  const body: JsonObject = {
    id: eventId,
    object: 'event',
    api_version: '2025-03-31.basil',
    created: timestamp,
    data: { object: objectOf(eventType, tokenFor(eventId, 24), timestamp) },
    livemode: false,
    pending_webhooks: 1,
    request: { id: `req_${tokenFor(eventId, 14)}`, idempotency_key: null },
    type: eventType,
  };
  return { eventType, body };
}

function objectOf(eventType: string, token: string, created: number): JsonObject {
  switch (eventType) {
    case 'payment_intent.succeeded':
      return paymentIntent(token, created);
    case 'charge.refunded':
      return refundedCharge(token, created);
    case 'customer.created':
      return customer(token, created);
    default:
      return { id: `obj_${token}`, object: eventType.split('.').slice(0, -1).join('.') || 'object', created };
  }
}

function paymentIntent(token: string, created: number): JsonObject {
  return {
    id: `pi_${token}`,
    object: 'payment_intent',
    amount: 2000,
    amount_capturable: 0,
    amount_received: 2000,
    capture_method: 'automatic',
    client_secret: `pi_${token}_secret_sample`,
    confirmation_method: 'automatic',
    created,
    currency: 'usd',
    customer: `cus_${token.slice(0, 14)}`,
    description: 'Order 6735',
    latest_charge: `ch_${token}`,
    livemode: false,
    metadata: { order_id: '6735' },
    payment_method: `pm_${token}`,
    payment_method_types: ['card'],
    receipt_email: 'jenny.rosen@example.com',
    status: 'succeeded',
  };
}

function refundedCharge(token: string, created: number): JsonObject {
  return {
    id: `ch_${token}`,
    object: 'charge',
    amount: 2000,
    amount_captured: 2000,
    amount_refunded: 500,
    captured: true,
    created,
    currency: 'usd',
    customer: `cus_${token.slice(0, 14)}`,
    livemode: false,
    metadata: { order_id: '6735' },
    paid: true,
    payment_intent: `pi_${token}`,
    payment_method_details: { card: { brand: 'visa', country: 'US', last4: '4242' }, type: 'card' },
    refunded: false,
    status: 'succeeded',
  };
}

function customer(token: string, created: number): JsonObject {
  return {
    id: `cus_${token.slice(0, 14)}`,
    object: 'customer',
    address: null,
    balance: 0,
    created,
    currency: null,
    delinquent: false,
    description: null,
    email: 'jenny.rosen@example.com',
    livemode: false,
    metadata: {},
    name: 'Jenny Rosen',
    phone: null,
  };
}
