import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, call, expectProblem } from '../support/http-answer.js';
import type { TestServer } from '../support/server.js';
import { newUserId } from '../support/wallet-client.js';
import { WalletCluster } from '../support/wallet-cluster.js';

let cluster: WalletCluster;
let servers: TestServer[];

beforeAll(async () => {
  cluster = await WalletCluster.create();
  servers = [await cluster.start(), await cluster.start()];
});

afterAll(() => cluster?.end());

function server(turn: number): TestServer {
  const chosen = servers[turn % servers.length];
  if (chosen === undefined) throw new Error('No server runs');
  return chosen;
}

const create = (turn: number, userId: string): Promise<Answer> =>
  call(server(turn), 'POST', '/api/forms', { name: `Form ${turn}`, userId });

async function formsOf(userId: string): Promise<number> {
  const [row] = await cluster.query<{ n: number }>('SELECT count(*)::integer AS n FROM forms WHERE user_id = $1', [
    userId,
  ]);
  return row?.n ?? NaN;
}

describe('Twenty forms at once, over two processes', () => {
  it('make exactly as many as the subscription has room for', async () => {
    const userId = newUserId();
    for (let i = 0; i < 3; i++) expect((await create(i, userId)).status).toBe(201);
    const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => create(i, userId)));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(2);
    for (const answer of answers.filter(({ status }) => status !== 201)) {
      expectProblem(answer, 402, 'FORM_LIMIT_REACHED');
      expect(answer.body['details']).toMatchObject({ limit: 5, current: 5, subscription: 'free' });
    }
    expect(await formsOf(userId)).toBe(5);
  });

  it('go by the subscription as it is then', async () => {
    const [user] = await cluster.query<{ id: string }>(
      `INSERT INTO users (id, email) VALUES (gen_random_uuid(), 'pro@example.com') RETURNING id`,
    );
    const userId = String(user?.id);
    const tier = async (name: string) =>
      expect((await call(server(0), 'PUT', `/api/users/${userId}/subscription`, { tier: name })).status).toBe(200);
    await tier('starter');
    const twenty = () => Promise.all(Array.from({ length: 20 }, (_, i) => create(i, userId)));
    for (const { status } of await twenty()) expect(status).toBe(201);
    const refused = await create(0, userId);
    expectProblem(refused, 402, 'FORM_LIMIT_REACHED');
    expect(refused.body['details']).toMatchObject({
      limit: 20,
      current: 20,
      message: 'Upgrade to Pro for up to 50 forms, or Business for unlimited forms',
    });
    await tier('business');
    for (const { status } of await twenty()) expect(status).toBe(201);
  });
});
