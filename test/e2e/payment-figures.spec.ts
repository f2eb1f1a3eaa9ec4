import { describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/http-answer.js';
import { PaymentsClient, type Shown } from '../support/payments-client.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { userToken } from '../support/user-token.js';

const holdfast = serverUnderTest();

const PATH = '/api/analytics/payments';
const figures = (query: string, key?: string) => holdfast.call('GET', `${PATH}${query}`, undefined, key);

describe('GET /api/analytics/payments', () => {
  it('has what has happened a moment ago, in the hour and on the day', async () => {
    const payments = new PaymentsClient(holdfast.server);
    const { body: paid } = await payments.create(2500);
    await payments.create(2500);
    await payments.create(4001);
    await payments.post(`payments/${String(paid['id'])}/refunds`, { amount: 500 });
    const wanted = {
      currency: 'USD',
      created: 3,
      succeeded: 2,
      failed: 1,
      canceled: 0,
      declined: 0,
      volume: 5000,
      refunds: 1,
      refundedVolume: 500,
      returnedRefunds: 0,
      returnedVolume: 0,
      disputes: 0,
      withdrawnVolume: 0,
      reinstatedVolume: 0,
      successRate: 0.6667,
      refundRate: 0.5,
      disputeRate: 0,
    };
    const day = await figures('?bucket=day');
    expect(day).toMatchObject({ status: 200, body: { mode: 'test', bucket: 'day' } });
    expect(day.body['data']).toEqual([{ at: expect.stringMatching(/T00:00:00.000Z$/), provider: null, ...wanted }]);
    const hour = await figures('?groupBy=provider');
    expect(hour.body['data']).toEqual([{ at: expect.stringMatching(/:00:00.000Z$/), provider: 'sandbox', ...wanted }]);
    expect((await figures('?groupBy=provider')).body).toEqual(hour.body);
    expect(((await figures('?mode=live')).body as Shown)['data']).toEqual([]);
  });

  it.each([
    ['?bucket=week', 'bucket'],
    ['?groupBy=currency,provider', 'groupBy'],
    ['?groupBy=user', 'groupBy'],
    ['?mode=both', 'mode'],
    ['?from=yesterday', 'from'],
    ['?from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:00Z', 'from'],
    ['?from=2026-01-01T00:00:00Z&to=2026-01-09T00:00:00Z', 'from'],
    ['?bucket=day&from=2024-01-01T00:00:00Z&to=2025-06-01T00:00:00Z', 'from'],
  ])('refuses %s', async (query, field) => {
    const answer = await figures(query);
    expectProblem(answer, 400, 'VALIDATION_FAILED');
    expect(answer.body['details']).toMatchObject({ errors: [{ path: field }] });
  });

  it('is for keys with payments:read, and for no end user', async () => {
    expect((await figures('', await holdfast.keyWith('payments:read'))).status).toBe(200);
    expectProblem(await figures('', await holdfast.keyWith('wallet:read')), 403, 'FORBIDDEN');
    expectProblem(await figures('', await userToken('figures-user')), 403, 'FORBIDDEN');
  });
});
