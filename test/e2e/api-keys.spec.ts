import { describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/http-answer.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { waitFor } from '../support/wait-for.js';

const KEYS = '/api/api-keys';
const EVENTS = '/api/webhook-events';

const holdfast = serverUnderTest({ env: { RATE_LIMIT_PER_HOUR: '20' } });

interface Key {
  id: string;
  key: string;
}

/** @param maker the admin, unless told otherwise */
async function newKey(maker?: Key, input: object = {}): Promise<Key> {
  const { status, body, text } = await holdfast.call(
    'POST',
    KEYS,
    { name: 'a key', scopes: ['webhooks:read'], ...input },
    maker?.key,
  );
  expect({ status, text }).toMatchObject({ status: 201 });
  return { id: String(body['id']), key: String(body['key']) };
}

const read = ({ key }: Key) => holdfast.call('GET', EVENTS, undefined, key);
const remaining = async (key: Key) => Number((await read(key)).headers.get('x-ratelimit-remaining'));
const limitsOf = async ({ id }: Key) => (await holdfast.call('GET', `/api/rate-limits/api-key:${id}`)).body;

describe('Keys that a key made', () => {
  it('share its limits: nobody may ask more often by making keys', async () => {
    const root = await newKey();
    const child = await newKey(root);
    const grandchild = await newKey(child);
    // Making keys was two requests.
    expect(await remaining(root)).toBe(17);
    expect(await remaining(child)).toBe(16);
    expect(await remaining(grandchild)).toBe(15);
    expect(await limitsOf(grandchild)).toMatchObject({ subject: `api-key:${root.id}` });
    for (let left = 15; left > 0; left--) expect((await read(child)).status).toBe(200);
    for (const key of [root, child, grandchild]) expectProblem(await read(key), 429, 'RATE_LIMIT_EXCEEDED');
    expectProblem(
      await holdfast.call('POST', KEYS, { name: 'more', scopes: ['webhooks:read'] }, root.key),
      429,
      'RATE_LIMIT_EXCEEDED',
    );
  });

  it('count for themselves when an operator has said something about them, or when an admin made them', async () => {
    const root = await newKey();
    const child = await newKey(root);
    expect((await remaining(child)) + 1).toBe(19);
    const path = `/api/rate-limits/api-key:${child.id}/override`;
    expect((await holdfast.call('PUT', path, { rule: 'perHour', limit: 50 })).status).toBe(200);
    expect(await remaining(child)).toBe(49);
    expect(await limitsOf(child)).toMatchObject({ subject: `api-key:${child.id}` });
    expect(await remaining(await newKey())).toBe(19);
  });

  it('end with it, and what they made as well', async () => {
    const root = await newKey();
    const family = [root, await newKey(root)];
    family.push(await newKey(family[1]));
    const stranger = await newKey();
    for (const key of family) expect((await read(key)).status).toBe(200);
    expect((await holdfast.call('DELETE', `${KEYS}/${root.id}`)).status).toBe(204);
    for (const key of family) expectProblem(await read(key), 401, 'UNAUTHENTICATED');
    expect((await read(stranger)).status).toBe(200);
    expect((await read(await newKey())).status).toBe(200);
    const { body } = await holdfast.call('GET', `${KEYS}/${family[2]?.id}`);
    expect(body).toMatchObject({ makerId: family[1]?.id, sharesLimitsOf: root.id, revokedAt: expect.any(String) });
    const lines = await waitFor(async () => {
      const audit = await holdfast.call('GET', `/api/audit?subject=api-key:${family[2]?.id}`);
      const data = audit.body['data'] as object[];
      return data.length === 2 ? data : undefined;
    });
    expect(lines).toContainEqual(
      expect.objectContaining({
        action: 'api_key.revoked',
        details: expect.objectContaining({ because: `api-key:${root.id}` }),
      }),
    );
  });

  it('outlive an admin key that is replaced, and end with one that was stolen', async () => {
    const admin = { scopes: ['admin'] };
    const [replaced, stolen] = [await newKey(undefined, admin), await newKey(undefined, admin)];
    const [kept, second] = [await newKey(replaced), await newKey(stolen, admin)];
    const third = await newKey(await newKey(second));
    const revoke = ({ id }: Key, query = '') => holdfast.call('DELETE', `${KEYS}/${id}${query}`);

    expect((await revoke(replaced)).status).toBe(204);
    expectProblem(await read(replaced), 401, 'UNAUTHENTICATED');
    expect((await read(kept)).status).toBe(200);

    expectProblem(await revoke(stolen, '?descendants=yes'), 400, 'VALIDATION_FAILED');
    expect((await revoke(stolen, '?descendants=true')).status).toBe(204);
    for (const key of [stolen, second, third]) expectProblem(await read(key), 401, 'UNAUTHENTICATED');
    expect((await read(kept)).status).toBe(200);
  });
});
