import { type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { describe, expect, it } from '@jest/globals';
import { type Answer, expectProblem } from '../support/http-answer.js';
import { JWT_SECRET } from '../support/server.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { userToken } from '../support/user-token.js';

/** So many bad tokens from one address would else be answered 429. */
const holdfast = serverUnderTest({ env: { AUTH_FAILURE_RATE_LIMIT: '0' } });

const HOUR = 3600;
const now = () => Math.floor(Date.now() / 1000);
const claims = (): JWTPayload => ({ iss: 'holdfast', aud: 'holdfast-api', sub: 'ann', exp: now() + HOUR });

function sign(payload: JWTPayload, { secret = JWT_SECRET, alg = 'HS256' } = {}): Promise<string> {
  return new SignJWT(payload).setProtectedHeader({ alg }).sign(Buffer.from(secret));
}

/** A route that no end user may call: 403 says that the token was taken for genuine, 401 that it was not. */
function knock(token: string): Promise<Answer> {
  return holdfast.call('GET', '/api/webhook-events', undefined, token);
}

function base64url(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

describe('An access token', () => {
  it('is known by whom it was signed, as bearer and whoever signed it with the secret', async () => {
    const answer = await knock(await userToken('ann'));
    expectProblem(answer, 403, 'FORBIDDEN');
    expect(answer.body['details']).toEqual({ requiredScopes: ['webhooks:read'], missingScopes: ['webhooks:read'] });
    await holdfast.logged({ msg: 'Request refused by the guard', actor: 'user:ann', reason: 'scope' });
  });

  it('opens no route of services: keys, webhooks, audit', async () => {
    const token = await userToken('ann');
    for (const [method, path] of [
      ['GET', '/api/api-keys'],
      ['DELETE', '/api/api-keys/01890000-0000-7000-8000-000000000000'],
      ['GET', '/api/webhook-events'],
      ['GET', '/api/webhook-sources'],
      ['POST', '/api/webhook-sources'],
      ['POST', '/api/replay-jobs'],
      ['GET', '/api/audit'],
      ['GET', '/api/audit/verify'],
    ] as const) {
      const answer = await holdfast.call(method, path, method === 'POST' ? {} : undefined, token);
      expect({ method, path, status: answer.status }).toEqual({ method, path, status: 403 });
    }
  });

  it('makes no API key, not even with scopes of its own', async () => {
    const body = { name: 'mine', scopes: ['wallet:read'] };
    expectProblem(await holdfast.call('POST', '/api/api-keys', body, await userToken('ann')), 403, 'FORBIDDEN');
    expect(await holdfast.sql(`SELECT FROM api_keys WHERE name = 'mine'`)).toEqual([]);
  });

  it('says no scopes itself: what it claims of them counts for nothing', async () => {
    const greedy = await sign({ ...claims(), scope: 'admin webhooks:read', scopes: ['admin'] });
    expectProblem(await knock(greedy), 403, 'FORBIDDEN');
  });

  it.each<[string, () => Promise<string> | string]>([
    ['has no algorithm', () => new UnsecuredJWT(claims()).encode()],
    ['has no algorithm and a signature', () => `${base64url({ alg: 'none' })}.${base64url(claims())}.c2lnbmVk`],
    ['has its algorithm in odd case', () => `${base64url({ alg: 'hs256' })}.${base64url(claims())}.c2lnbmVk`],
    ['is signed with another secret', () => sign(claims(), { secret: 'x'.repeat(64) })],
    ['is signed by another algorithm', () => sign(claims(), { alg: 'HS512' })],
    ['has expired', () => sign({ ...claims(), exp: now() - 1 })],
    ['never expires', () => sign({ ...claims(), exp: undefined })],
    ['expires in a year', () => sign({ ...claims(), exp: now() + 365 * 24 * HOUR })],
    ['is for another audience', () => sign({ ...claims(), aud: 'other-api' })],
    ['is of another issuer', () => sign({ ...claims(), iss: 'https://example.com' })],
    ['is of nobody', () => sign({ ...claims(), sub: undefined })],
    ['claims to be an admin', () => sign({ ...claims(), role: 'admin' })],
    ['is of absurd length', () => sign({ ...claims(), padding: 'x'.repeat(4000) })],
  ])('is refused with 401 when it %s, without a word about why', async (_, make) => {
    const token = await make();
    const answer = await knock(token);
    expectProblem(answer, 401, 'UNAUTHENTICATED');
    expect(answer.body['detail']).toBe('The credential is not valid: it is unknown, expired or revoked.');
    expect(answer.text).not.toContain(token);
  });

  it('is refused when another user was put into it', async () => {
    const [header = '', , signature = ''] = (await userToken('ann')).split('.');
    const forged = [header, base64url({ ...claims(), sub: 'bob' }), signature].join('.');
    expectProblem(await knock(forged), 401, 'UNAUTHENTICATED');
  });

  it('is refused beside a key: two credentials that differ are none', async () => {
    const headers = { authorization: `Bearer ${await userToken('ann')}`, 'x-api-key': holdfast.server.adminKey };
    expect((await fetch(`${holdfast.server.url}/api/webhook-events`, { headers })).status).toBe(401);
  });

  it('never gets into the log', async () => {
    const token = await userToken('ann');
    await knock(token);
    await knock(`${token}x`);
    await holdfast.logged({ reason: 'invalid' });
    expect(holdfast.server.output()).not.toContain(token);
  });
});
