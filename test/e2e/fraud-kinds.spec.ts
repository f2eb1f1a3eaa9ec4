import { randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { ageAccounts, expectDeclined, expectTaken, fraudClientOf } from '../support/fraud-client.js';
import type { Answer } from '../support/http-answer.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { newUserId } from '../support/wallet-client.js';

const holdfast = serverUnderTest();
const fraud = fraudClientOf(holdfast);

afterEach(() => fraud.client.noRules());

const HOUR = { windowSeconds: 3600 };
/** The bank declines it. */
const FAILS = 4001;

let addresses = 0;
/** One of each that no other test has. */
const anyone = () => {
  addresses += 1;
  const who = randomUUID();
  return {
    userId: newUserId(),
    email: `${who}@example.com`,
    context: { ip: `2001:db8::${addresses.toString(16)}`, cardFingerprint: who, deviceId: who, country: 'DE' },
  };
};

const pay = (amount: number, more: object): Promise<Answer> => fraud.client.create(amount, more);

/** As if it had been made so long ago. */
async function age(payment: string, hours: number): Promise<void> {
  await holdfast.sql(`UPDATE payments SET created_at = created_at - $2 * interval '1 hour' WHERE id = $1`, [
    payment,
    hours,
  ]);
}

describe('a rule about the amount', () => {
  it('declines more than its limit, in its currency', async () => {
    await fraud.client.rule('amount', { limit: 1000, currency: 'USD' });
    expectTaken(await pay(1000, {}));
    expectDeclined(await pay(1001, {}));
    expectTaken(await pay(1001, { currency: 'EUR' }));
  });
});

describe('a rule about the number of payments', () => {
  const SAME: Record<string, (who: ReturnType<typeof anyone>) => object> = {
    user: ({ userId }) => ({ userId }),
    ip: ({ context: { ip } }) => ({ context: { ip } }),
    card: ({ context: { cardFingerprint } }) => ({ context: { cardFingerprint } }),
    email: ({ email }) => ({ email: email.toUpperCase() }),
    device: ({ context: { deviceId } }) => ({ context: { deviceId } }),
  };

  it.each(Object.keys(SAME))('counts those by one %s, and nobody else’s', async (by) => {
    const rule = await fraud.client.rule('count', { by, ...HOUR, limit: 2 });
    const [one, other] = [anyone(), anyone()];
    expectTaken(await pay(100, one));
    expectTaken(await pay(FAILS, one));
    const declined = expectDeclined(await pay(100, { userId: newUserId(), ...SAME[by]?.(one) }));
    expect(await fraud.client.evaluations(declined)).toMatchObject([
      { rule, kind: 'count', action: 'decline', mode: 'active', outcome: 'matched', figure: 3, threshold: 2 },
    ]);
    const passed = expectTaken(await pay(100, other));
    expect(await fraud.client.evaluations(passed)).toMatchObject([{ outcome: 'passed', figure: 1 }]);
    const silent = expectTaken(await pay(100, {}));
    const outcome = by === 'user' ? 'passed' : 'skipped';
    expect(await fraud.client.evaluations(silent)).toMatchObject([{ outcome }]);
  });

  it('forgets what is older than its window, and does not count what it declined', async () => {
    await fraud.client.rule('count', { by: 'user', ...HOUR, limit: 2 });
    const userId = newUserId();
    const first = expectTaken(await pay(100, { userId }));
    expectTaken(await pay(100, { userId }));
    for (let i = 0; i < 3; i++) expectDeclined(await pay(100, { userId }));
    await age(first, 1);
    expectTaken(await pay(100, { userId }));
    expectDeclined(await pay(100, { userId }));
  });
});

describe('a rule about the sum', () => {
  it('adds up what has come or may still come, in its currency', async () => {
    await fraud.client.rule('sum', { by: 'user', ...HOUR, limit: 1000, currency: 'USD' });
    const userId = newUserId();
    expectTaken(await pay(400, { userId }));
    expectTaken(await pay(600, { userId, capture: 'manual' }));
    expectDeclined(await pay(1, { userId }));
    expectTaken(await pay(5000, { userId, currency: 'EUR' }));
    const other = newUserId();
    expectTaken(await pay(1000, { userId: other }));
    expectDeclined(await pay(FAILS, { userId: other }));
  });

  it('leaves out what has failed or was canceled', async () => {
    await fraud.client.rule('sum', { by: 'user', ...HOUR, limit: FAILS, currency: 'USD' });
    const userId = newUserId();
    expectTaken(await pay(FAILS, { userId }));
    const authorized = expectTaken(await pay(4000, { userId, capture: 'manual' }));
    expectDeclined(await pay(2, { userId }));
    expect((await fraud.client.post(`payments/${authorized}/cancel`)).status).toBe(200);
    expectTaken(await pay(2, { userId }));
  });
});

describe('a rule about failed attempts', () => {
  it('declines once there are so many, whatever became of them afterwards', async () => {
    await fraud.client.rule('failed_attempts', { by: 'card', ...HOUR, limit: 2 });
    const { context } = anyone();
    expectTaken(await pay(100, { context }));
    const failed = expectTaken(await pay(4002, { context }));
    expectTaken(await pay(100, { context }));
    expectTaken(await pay(FAILS, { context }));
    expectDeclined(await pay(100, { context }));
    await fraud.client.untilStatus(failed, 'succeeded');
    expectDeclined(await pay(100, { context }));
    expectTaken(await pay(100, anyone()));
  });
});

describe('a rule about disputes', () => {
  it('declines who had one, whoever won it, and nobody for a bank’s inquiry', async () => {
    await fraud.client.rule('disputes', { by: 'card', ...HOUR, limit: 0 });
    const { context } = anyone();
    const disputed = expectTaken(await pay(4014, { context }));
    expectTaken(await pay(100, { context }));
    await fraud.client.untilDisputed(disputed);
    const declined = expectDeclined(await pay(100, { userId: newUserId(), context }));
    expect(await fraud.client.evaluations(declined)).toMatchObject([{ kind: 'disputes', figure: 1, threshold: 0 }]);
    expectTaken(await pay(100, anyone()));
    await holdfast.sql(`UPDATE disputes SET status = 'won' WHERE payment = $1`, [disputed]);
    expectDeclined(await pay(100, { context }));
    await holdfast.sql(`UPDATE disputes SET status = 'inquiry' WHERE payment = $1`, [disputed]);
    expectTaken(await pay(100, { context }));
  });
});

describe('a rule about cards', () => {
  it('declines another card than so many, and none of those', async () => {
    await fraud.client.rule('distinct_cards', { by: 'user', ...HOUR, limit: 2 });
    const userId = newUserId();
    const by = (cardFingerprint: string) => pay(100, { userId, context: { cardFingerprint } });
    for (const card of ['one', 'two', 'one']) expectTaken(await by(card));
    expectDeclined(await by('three'));
    expectTaken(await by('two'));
    const without = expectTaken(await pay(100, { userId }));
    expect(await fraud.client.evaluations(without)).toMatchObject([{ outcome: 'skipped', figure: null }]);
  });
});

describe('a rule about new accounts', () => {
  it('declines users whose first account is younger, in whatever currency', async () => {
    await fraud.client.rule('new_account', HOUR);
    const userId = newUserId();
    const opened = await fraud.client.post('wallet/accounts', { userId, currency: 'EUR' });
    expect(opened.status).toBe(201);
    expectDeclined(await pay(100, { userId }));
    expectDeclined(await pay(100, {}));
    await ageAccounts(holdfast, userId, 2);
    expectTaken(await pay(100, { userId }));
  });
});

describe('a rule about countries', () => {
  it('declines one that the user has not paid from, once they have paid from another', async () => {
    await fraud.client.rule('country_mismatch', HOUR);
    const userId = newUserId();
    const from = (country: string, amount = 100) => pay(amount, { userId, context: { country } });
    expectTaken(await from('FR', FAILS));
    const home = expectTaken(await from('DE'));
    expectDeclined(await from('FR'));
    expectTaken(await from('DE'));
    expectTaken(await pay(100, { userId }));
    await holdfast.sql(`UPDATE payments SET created_at = now() - interval '2 hours' WHERE user_id = $1`, [userId]);
    expectTaken(await from('FR'));
    expect(await fraud.client.evaluations(home)).toMatchObject([{ outcome: 'passed', figure: 0 }]);
  });
});

describe('a list', () => {
  const block = (by: string, ...values: string[]) => fraud.client.rule('list', { by, values, action: 'block' });

  it.each<[string, string, object, object]>([
    ['user', 'mallory', { userId: 'mallory' }, { userId: 'mallory2' }],
    ['ip', '192.0.2.0/24', { context: { ip: '::ffff:192.0.2.77' } }, { context: { ip: '192.0.3.1' } }],
    ['ip', '2001:db8:1::/48', { context: { ip: '2001:db8:1::7' } }, { context: { ip: '2001:db8:2::7' } }],
    ['email', '@Evil.example', { email: 'ann@evil.example' }, { email: 'ann@not.evil.example' }],
    ['email', 'ann@evil.example', { email: 'Ann@evil.example' }, { email: 'ben@evil.example' }],
    ['card', 'stolen', { context: { cardFingerprint: 'stolen' } }, { context: { cardFingerprint: 'Stolen' } }],
    ['device', 'd-1', { context: { deviceId: 'd-1' } }, { context: { deviceId: 'd-11' } }],
    ['country', 'XX', { context: { country: 'XX' } }, { context: { country: 'DE' } }],
  ])('by %s finds %s', async (by, value, listed, other) => {
    await block(by, 'ip' === by ? '203.0.113.9' : value, value);
    expectDeclined(await pay(100, listed));
    expectTaken(await pay(100, other));
  });

  it('of those allowed is stronger than what declines or reviews, and weaker than that of those blocked', async () => {
    const userId = newUserId();
    await fraud.client.rule('amount', { limit: 10, currency: 'USD' });
    await fraud.client.rule('amount', { limit: 5, currency: 'USD', action: 'review' });
    expectDeclined(await pay(100, { userId }));
    await fraud.client.rule('list', { by: 'user', values: [userId], action: 'allow' });
    const allowed = expectTaken(await pay(100, { userId }));
    expect(await fraud.client.find(allowed)).toMatchObject({ status: 'succeeded', settledTo: 'wallet', review: null });
    expectDeclined(await pay(100, {}));
    await block('email', '@evil.example');
    const blocked = expectDeclined(await pay(100, { userId, email: 'ann@evil.example' }));
    expect((await fraud.client.evaluations(blocked)).map(({ action, outcome }) => [action, outcome])).toEqual([
      ['decline', 'matched'],
      ['review', 'matched'],
      ['allow', 'matched'],
      ['block', 'matched'],
    ]);
  });
});
