import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, expect } from '@jest/globals';
import type { Answer } from './http-answer.js';
import { PaymentsClient, type Shown } from './payments-client.js';
import { type ServerUnderTest, serverUnderTest } from './server-under-test.js';
import { StripeApi } from './stripe-api.js';
import { waitFor } from './wait-for.js';
import { WalletClient } from './wallet-client.js';

export const STRIPE_KEY = 'sk_test_4eC39HqLyjWDarjtT1zdp7dc';

export type StripeEvents = readonly Record<string, unknown>[];

/** A server that takes payments through a Stripe of the test file's own. */
export interface StripeUnderTest {
  readonly holdfast: ServerUnderTest;
  readonly api: StripeApi;
  readonly client: PaymentsClient;
  readonly wallet: WalletClient;
  /** Asks for a payment of US cents by a user nobody has heard of yet, unless told otherwise. */
  take(amount: number, more?: object, key?: string): Promise<Answer>;
  /** One that the card paid at once, authorised only with `capture: 'manual'`. */
  paid(amount: number, more?: object): Promise<Shown>;
  /** Sends events one after the other; each is accepted. @returns their ids here */
  deliver(events: StripeEvents): Promise<unknown[]>;
  /** The same, and waits until each is processed and nothing is left that Stripe has to be asked about. */
  heard(events: StripeEvents): Promise<void>;
  untilProcessed(ids: readonly unknown[]): Promise<void>;
  /** As if the calls of a payment had been sent so much earlier, and were due to be asked about. */
  age(payment: unknown, hours: number): Promise<void>;
}

/** For the top of a test file. After each test nothing is open, the books are right, and clearing says what Stripe holds. */
export async function stripeUnderTest(): Promise<StripeUnderTest> {
  const api = await StripeApi.start(STRIPE_KEY);
  const holdfast = serverUnderTest({ env: { STRIPE_SECRET_KEY: STRIPE_KEY, STRIPE_API_BASE: api.url } });
  afterAll(async () => {
    await api.stop();
    expect(holdfast.server.output()).not.toMatch(/_secret_|sk_test_4eC39/);
  });
  afterEach(async () => {
    await untilQuiet();
    await expectClearingToBalance();
    await new WalletClient(holdfast.server).expectIntegrity();
  });

  /** Everything that came has been worked on, no call's outcome is unknown, and every ring has been answered. */
  function untilQuiet(): Promise<unknown> {
    return waitFor(
      async () => {
        const [open] = await holdfast.sql<{ count: number }>(
          `SELECT (SELECT count(*) FROM webhook_events WHERE status NOT IN ('PROCESSED', 'IGNORED'))::integer
             + (SELECT count(*) FROM payments WHERE rings > 0)::integer
             + (SELECT count(*) FROM provider_operations WHERE outcome IN ('pending', 'unknown'))::integer AS count`,
        );
        return open?.count === 0;
      },
      { what: 'all events and calls to be over' },
    );
  }

  async function expectClearingToBalance(): Promise<void> {
    const [books] = await holdfast.sql<{ balance: string }>(
      `SELECT coalesce(sum(balance), 0) AS balance FROM ledger_accounts
       WHERE owner = 'clearing:stripe:test' AND currency = 'USD'`,
    );
    expect(Number(books?.balance) + api.state.balanceIn('usd')).toBe(0);
  }

  const deliver = (events: StripeEvents) => api.deliver(holdfast.sender, events);
  const take = (amount: number, more: object = {}, key: string = randomUUID()) =>
    new PaymentsClient(holdfast.server).create(amount, { provider: 'stripe', ...more }, { key });
  const untilProcessed = async (ids: readonly unknown[]) => {
    for (const id of ids) await holdfast.eventIn('PROCESSED', id);
  };

  return {
    holdfast,
    api,
    get client() {
      return new PaymentsClient(holdfast.server);
    },
    get wallet() {
      return new WalletClient(holdfast.server);
    },
    take,
    paid: async (amount, more = {}) => {
      const { status, body } = await take(amount, { providerPaymentMethod: 'pm_card_visa', ...more });
      expect({ status, detail: body['detail'] }).toEqual({ status: 201, detail: undefined });
      return body;
    },
    deliver,
    heard: async (events) => {
      await untilProcessed(await deliver(events));
      await untilQuiet();
    },
    untilProcessed,
    age: async (payment, hours) => {
      await holdfast.sql(
        `UPDATE provider_operations SET created_at = created_at - $2 * interval '1 hour' WHERE payment = $1`,
        [payment, hours],
      );
      await holdfast.sql('UPDATE payments SET next_check_at = clock_timestamp() WHERE id = $1', [payment]);
    },
  };
}
