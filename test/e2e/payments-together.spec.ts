import { describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import type { Answer } from '../support/http-answer.js';
import { stripeUnderTest } from '../support/stripe-under-test.js';
import { waitFor } from '../support/wait-for.js';

const payments = await stripeUnderTest();
const { holdfast, api: stripe, take } = payments;

const TOGETHER = 12;
const BY_CARD = { providerPaymentMethod: 'pm_card_visa' };

/** What `description` says is paid at Stripe while nobody may post, and settles after that. */
async function paidWhileNobodyPosts(descriptions: readonly string[]): Promise<Answer[]> {
  const holder = new Client({ connectionString: holdfast.database.url });
  await holder.connect();
  try {
    await holder.query('BEGIN; LOCK TABLE ledger_writer IN EXCLUSIVE MODE');
    const answers = descriptions.map((description) => take(1000, { ...BY_CARD, description }));
    const made = () =>
      stripe.callsOf('create', ({ params }) => descriptions.some((each) => each === params['description']));
    await waitFor(async () => made().length === descriptions.length, { what: 'all to be made at Stripe' });
    await holder.query('COMMIT');
    return await Promise.all(answers);
  } finally {
    await holder.end();
  }
}

/** How many transactions settled them. */
async function transactionsOf(answers: readonly Answer[]): Promise<number> {
  const ids = answers.map(({ body }) => body['id']);
  const [row] = await holdfast.sql<{ count: number }>(
    `SELECT count(DISTINCT xmin::text)::integer AS count FROM payment_transitions
     WHERE payment = ANY ($1::uuid[]) AND to_status = 'succeeded'`,
    [ids],
  );
  return row?.count ?? 0;
}

describe('payments whose answers come at once', () => {
  it('settle together, each as it would alone', async () => {
    const answers = await paidWhileNobodyPosts(Array.from({ length: TOGETHER }, (_, index) => `together ${index}`));
    for (const { status, body } of answers) {
      expect([status, body['status'], body['capturedAmount']]).toEqual([201, 'succeeded', 1000]);
      expect(await payments.client.fundsOf(body['userId'])).toBe(1000);
      const found = await payments.client.find(body['id']);
      expect(found['transitions']).toMatchObject([
        { to: 'created' },
        { from: 'created', to: 'succeeded', source: 'api' },
      ]);
      expect(found['operations']).toMatchObject([{ kind: 'create', outcome: 'succeeded' }]);
    }
    expect(await transactionsOf(answers)).toBeLessThan(TOGETHER / 2);
  });

  it('do not fail with one that cannot be settled', async () => {
    await holdfast.sql(
      `CREATE FUNCTION refuse_settlement() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not this one'; END $$;
       CREATE TRIGGER refuse BEFORE UPDATE ON payments FOR EACH ROW
         WHEN (NEW.description = 'bad' AND NEW.status = 'succeeded') EXECUTE FUNCTION refuse_settlement()`,
    );
    const descriptions = Array.from({ length: TOGETHER }, (_, index) => (index === 5 ? 'bad' : `good ${index}`));
    const answers = await paidWhileNobodyPosts(descriptions);
    const bad = answers[5]?.body;
    for (const { status, body } of answers) {
      const expected = body === bad ? [202, 'unknown', 0] : [201, 'succeeded', 1000];
      expect([status, body['status'], await payments.client.fundsOf(body['userId'])]).toEqual(expected);
    }
    await holdfast.sql('DROP TRIGGER refuse ON payments');
    await payments.age(bad?.['id'], 0);
    await payments.client.untilStatus(bad?.['id'], 'succeeded');
    expect(await payments.client.fundsOf(bad?.['userId'])).toBe(1000);
  });
});
