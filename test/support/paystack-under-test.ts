import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect } from '@jest/globals';
import { type Answer, answerOf } from './http-answer.js';
import { PaystackApi } from './paystack-api.js';
import { type ServerUnderTest, serverUnderTest } from './server-under-test.js';
import { waitFor } from './wait-for.js';
import { newUserId, WalletClient } from './wallet-client.js';

export const PAYSTACK_KEY = 'sk_test_8d1c5e0b7a9f4236b1e6f2a0';

export type Fields = Record<string, unknown>;

/** A server that takes payments through a Paystack of the test file's own. */
export interface PaystackUnderTest {
  readonly holdfast: ServerUnderTest;
  readonly api: PaystackApi;
  readonly wallet: WalletClient;
  /** Asks for a payment of 10,000 kobo by a user nobody has heard of yet, unless told otherwise. */
  create(fields?: object): Promise<Answer>;
  /** The same, of one that can be paid. */
  created(fields?: object): Promise<Fields>;
  /** The same, of one that has been paid and credited. */
  paid(fields?: object): Promise<Fields>;
  post(path: string, body?: object): Promise<Answer>;
  payment(id: unknown): Promise<Fields>;
  /** The payment once it has these fields. */
  paymentWith(id: unknown, fields: object): Promise<Fields>;
  /** What the user has, in minor units. */
  fundsOf(payment: Fields): Promise<number>;
  /** Sends the event, and waits until it is done. */
  deliver(event: object): Promise<Fields>;
  /** An hour goes by for the calls of this payment, and it is due to be asked about. */
  anHourLater(id: unknown): Promise<void>;
}

/** What our payments are called there. */
export const referenceOf = (payment: Fields): string => `hf-${String(payment['id'])}`;

/** For the top of a test file, as `serverUnderTest`; the books must be right at its end. */
export function paystackUnderTest(): PaystackUnderTest {
  const env = { PAYSTACK_SECRET_KEY: PAYSTACK_KEY, PAYSTACK_API_BASE: '' };
  let api: PaystackApi;
  beforeAll(async () => {
    api = await PaystackApi.start(PAYSTACK_KEY);
    env.PAYSTACK_API_BASE = api.url;
  });
  const holdfast = serverUnderTest({ env });
  afterAll(async () => {
    await api?.stop();
  });

  const post = async (path: string, body: object = {}): Promise<Answer> => {
    const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
    return answerOf(await holdfast.server.fetch(path, { method: 'POST', headers, body: JSON.stringify(body) }));
  };
  const create = (fields: object = {}) =>
    post('/api/payments', {
      userId: newUserId(),
      amount: 10_000,
      currency: 'NGN',
      email: 'ann@example.com',
      ...fields,
    });
  const created = async (fields: object = {}): Promise<Fields> => {
    const answer = await create(fields);
    expect(answer).toMatchObject({ status: 201, body: { status: 'requires_action', provider: 'paystack' } });
    return answer.body;
  };
  const payment = async (id: unknown): Promise<Fields> =>
    (await holdfast.call('GET', `/api/payments/${String(id)}`)).body;
  const paymentWith = (id: unknown, fields: object): Promise<Fields> =>
    waitFor(
      async () => {
        const found = await payment(id);
        expect(found).toMatchObject(fields);
        return found;
      },
      { what: `payment ${String(id)} with ${JSON.stringify(fields)}` },
    );
  const deliver = async (event: object): Promise<Fields> => {
    const { status, body } = await api.deliver(holdfast.server.url, event);
    expect({ status, body }).toMatchObject({ status: 200 });
    return holdfast.eventIn('PROCESSED', body['id']);
  };
  const paid = async (fields: object = {}): Promise<Fields> => {
    const made = await created(fields);
    api.account.pay(referenceOf(made));
    await deliver(api.chargeSuccess(referenceOf(made)));
    return paymentWith(made['id'], { status: 'succeeded', settledTo: 'wallet' });
  };

  return {
    holdfast,
    get api() {
      return api;
    },
    get wallet() {
      return new WalletClient(holdfast.server);
    },
    post,
    create,
    created,
    paid,
    payment,
    paymentWith,
    deliver,
    fundsOf: ({ userId, currency }) => new WalletClient(holdfast.server).fundsOf(String(userId), String(currency)),
    anHourLater: async (id) => {
      await holdfast.sql(
        `UPDATE provider_operations SET created_at = created_at - interval '1 hour' WHERE payment = $1`,
        [id],
      );
      await holdfast.sql(`UPDATE payments SET next_check_at = clock_timestamp() WHERE id = $1`, [id]);
    },
  };
}
