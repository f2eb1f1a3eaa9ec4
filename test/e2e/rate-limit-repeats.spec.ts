import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, answerOf, call, expectProblem } from '../support/http-answer.js';
import { COMMITTED, GUARDED, IdempotentCluster, isReplay, newKey } from '../support/idempotent-cluster.js';
import type { TestServer } from '../support/server.js';

/** Changes a minute. */
const LIMIT = 3;

let cluster: IdempotentCluster;
let servers: [TestServer, TestServer];

/** Without Redis: what one server has answered, the other learns from the database only, and each counts for itself. */
beforeAll(async () => {
  cluster = await IdempotentCluster.create();
  const env = { MUTATION_RATE_LIMIT: String(LIMIT) };
  servers = [await cluster.start(env), await cluster.start(env)];
});

afterAll(() => cluster?.end());

/** A caller that has sent nothing yet; its maker, the admin, makes one on either server in turn. */
let makers = 0;
async function newCaller(): Promise<{ id: string; key: string }> {
  const server = servers[makers++ % 2]!;
  const { body } = await call(server, 'POST', '/api/api-keys', { name: 'caller', scopes: ['webhooks:read'] });
  return { id: String(body['id']), key: String(body['key']) };
}

async function post(server: TestServer, path: string, caller: string, key: string): Promise<Answer> {
  const headers = {
    authorization: `Bearer ${caller}`,
    'content-type': 'application/json',
    'idempotency-key': key,
  };
  return answerOf(await server.fetch(path, { method: 'POST', headers, body: '{"value":"once"}' }));
}

async function changesOf(server: TestServer, id: string): Promise<unknown> {
  const { body } = await call(server, 'GET', `/api/rate-limits/api-key:${id}`);
  return (body['limits'] as Record<string, unknown>[]).find(({ rule }) => rule === 'mutations')?.['used'];
}

describe.each([
  ['a guarded route', GUARDED],
  ['a route that commits effect and answer together', COMMITTED],
])('A repeat on %s', (_, path) => {
  it('is free: remembered, found late, or found just before it would be refused', async () => {
    const [first, second] = servers;
    const { id, key: caller } = await newCaller();
    const key = newKey();
    const answer = await post(first, path, caller, key);
    expect(answer.status).toBe(201);
    for (let repeat = 0; repeat < 2 * LIMIT; repeat++)
      expect(isReplay(await post(first, path, caller, key))).toBe(true);
    expect(await changesOf(first, id)).toBe(1);

    const late = await post(second, path, caller, key);
    expect({ replay: isReplay(late), text: late.text }).toEqual({ replay: true, text: answer.text });
    expect(await changesOf(second, id)).toBe(0);

    const other = newKey();
    expect((await post(first, path, caller, other)).status).toBe(201);
    for (let request = 0; request < LIMIT; request++)
      expect((await post(second, path, caller, newKey())).status).toBe(201);
    expectProblem(await post(second, path, caller, newKey()), 429, 'RATE_LIMIT_EXCEEDED');
    expect(isReplay(await post(second, path, caller, other))).toBe(true);
    expectProblem(await post(second, path, caller, newKey()), 429, 'RATE_LIMIT_EXCEEDED');
    expect(await changesOf(second, id)).toBe(LIMIT);
  });
});
