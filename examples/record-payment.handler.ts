import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { isJsonObject, type JsonValue } from '../src/kernel/exact-json.js';
import { PermanentWebhookError, type WebhookEventMessage, WebhookHandler } from '../src/modules/webhooks/index.js';

/** A payment that went through, as this service keeps it. */
interface Payment {
  /** Stripe's id, `pi_…`. */
  paymentIntent: string;
  /** What was received, in minor units (cents). */
  amount: bigint;
  /** ISO 4217, lower case as Stripe writes it. */
  currency: string;
}

/** What a `bigint` column holds. */
const MAX_AMOUNT = 2n ** 63n - 1n;

/**
 * No duplicate gets here: a second delivery of the event never runs. The key is for what may: an operator's replay, or
 * another event about the same payment intent. Index: example_payments_pkey.
 */
const INSERT = `
  INSERT INTO example_payments (payment_intent, event, amount, currency)
  VALUES ($1, $2, $3, $4)
  ON CONFLICT (payment_intent) DO NOTHING`;

/** Keeps one row for each payment that succeeded at Stripe. */
@Injectable()
export class RecordPaymentHandler {
  /** The row and the record that the event is done commit together. @throws PermanentWebhookError for what is no payment */
  @WebhookHandler('stripe', 'payment_intent.succeeded')
  async record(tx: EntityManager, event: WebhookEventMessage): Promise<void> {
    const { paymentIntent, amount, currency } = readPayment(event);
    await tx.query(INSERT, [paymentIntent, event.id, amount, currency]);
  }
}

/** The signature says who sent it, not that it makes sense. Trying again would not mend it, hence permanent. */
function readPayment({ payload }: WebhookEventMessage): Payment {
  const intent = isJsonObject(payload.data) ? payload.data.object : undefined;
  if (!isJsonObject(intent)) throw new PermanentWebhookError('data.object is not a payment intent');
  const { id, amount_received: received, currency } = intent;
  if (typeof id !== 'string' || id === '') throw new PermanentWebhookError('data.object.id is missing');
  if (typeof currency !== 'string' || !/^[a-z]{3}$/.test(currency)) {
    throw new PermanentWebhookError('data.object.currency is not a currency code');
  }
  return { paymentIntent: id, amount: readAmount(received), currency };
}

/** Whole minor units. Integers beyond 2^53 come as `bigint` already; a fraction, a text or an overflow is no amount. */
function readAmount(value: JsonValue | undefined): bigint {
  if (typeof value === 'bigint' || (typeof value === 'number' && Number.isSafeInteger(value))) {
    const amount = BigInt(value);
    if (amount > 0n && amount <= MAX_AMOUNT) return amount;
  }
  throw new PermanentWebhookError('data.object.amount_received is not a positive whole number of minor units');
}
