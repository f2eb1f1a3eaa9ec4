import fc from 'fast-check';
import { type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { AccessTokens } from './access-tokens.js';
import { deriveKey } from '../../../platform/encryption/index.js';
import { SCOPES_OF, type StaffRole } from '../users/role.js';
import { AccessTokenVerifier } from './access-token.verifier.js';

const SECRET = Buffer.from('a secret of the tests, thirty-two bytes and more');
const ENCRYPTION_KEY = Buffer.alloc(32, 7);
const STAFF_SECRET = Buffer.from(deriveKey(ENCRYPTION_KEY, 'holdfast/staff-tokens/v1'));
const START = Date.UTC(2030, 0, 1);
const HOUR = 3600;

/** The database's clock; the machine's is never asked. */
let now = START;
const clock = { now: () => now } as ConstructorParameters<typeof AccessTokens>[1];
const tokens = new AccessTokens({ jwtSecret: SECRET, encryptionKey: ENCRYPTION_KEY }, clock);
let verifier: AccessTokenVerifier;

const ADMIN = '01890000-0000-7000-8000-00000000000a';
const SESSION = '01890000-0000-7000-8000-00000000000b';
/** What the database says of staff. */
let staffRole: StaffRole | undefined;
const sessions = {
  staffRole: async (sessionId: string, userId: string) =>
    sessionId === SESSION && userId === ADMIN ? staffRole : undefined,
} as unknown as ConstructorParameters<typeof AccessTokenVerifier>[1];

beforeEach(() => {
  now = START;
  verifier = new AccessTokenVerifier(tokens, sessions, clock);
});
afterEach(() => void jest.restoreAllMocks());

const seconds = () => Math.floor(now / 1000);
const claims = (): JWTPayload => ({ iss: 'holdfast', aud: 'holdfast-api', sub: 'ann', exp: seconds() + HOUR });

/** As another service would sign it. */
function sign(payload: JWTPayload, secret = SECRET, alg = 'HS256', kid?: string): Promise<string> {
  return new SignJWT(payload).setProtectedHeader({ alg, ...(kid !== undefined && { kid }) }).sign(secret);
}

describe('an access token', () => {
  it('makes its bearer the user it was issued for, with the scopes of users and no others', async () => {
    const { token } = await tokens.issue('ann', 60_000);
    expect(await verifier.verify(token)).toEqual({
      kind: 'user',
      id: 'ann',
      scopes: SCOPES_OF.user,
      actor: 'user:ann',
    });
    expect(SCOPES_OF.user.filter((scope) => /^(admin|webhooks|audit)/.test(scope))).toEqual([]);
  });

  it('of another issuer with the same secret is as good', async () => {
    expect(await verifier.verify(await sign({ ...claims(), role: 'user' }))).toMatchObject({ id: 'ann' });
  });

  it('ends by the clock of the database, to the second, remembered or not', async () => {
    const { token, expiresAt } = await tokens.issue('ann', 60_000);
    expect(expiresAt).toBe(START + 60_000);
    jest.spyOn(Date, 'now').mockReturnValue(START + 1e9);
    now = expiresAt - 1;
    expect(await verifier.verify(token)).not.toBeNull();
    now = expiresAt;
    expect(await verifier.verify(token)).toBeNull();
    expect(await new AccessTokenVerifier(tokens, sessions, clock).verify(token)).toBeNull();
  });

  it('is verified once, and a refused one every time', async () => {
    const read = jest.spyOn(tokens, 'read');
    const { token } = await tokens.issue('ann', 60_000);
    const first = await verifier.verify(token);
    for (let n = 0; n < 5; n++) expect(await verifier.verify(token)).toBe(first);
    expect(read).toHaveBeenCalledTimes(1);
    for (let n = 0; n < 5; n++) expect(await verifier.verify(`${token}x`)).toBeNull();
    expect(read).toHaveBeenCalledTimes(6);
  });

  it('is forgotten when ten thousand others have come since', async () => {
    const { token } = await tokens.issue('ann', 60_000);
    await verifier.verify(token);
    const read = jest.spyOn(tokens, 'read').mockImplementation(async (userId) => ({ userId, expiresAt: now + 1000 }));
    for (let n = 0; n < 10_000; n++) await verifier.verify(`other-${n}`);
    read.mockClear();
    await verifier.verify(token);
    expect(read).toHaveBeenCalledTimes(1);
  });
});

describe('an access token from a clock that is ahead', () => {
  const ahead = (by: number): [string, JWTPayload][] => [
    ['in force from then on', { nbf: seconds() + by }],
    ['issued then', { iat: seconds() + by }],
    ['that ends a day after', { exp: seconds() + by + 24 * HOUR }],
    ['that says all of it', { nbf: seconds() + by, iat: seconds() + by, exp: seconds() + by + 24 * HOUR }],
  ];

  it.each([...ahead(2), ...ahead(60)])('by up to a minute is good: %s', async (_, payload) => {
    const token = await sign({ ...claims(), ...payload });
    expect(await verifier.verify(token)).toMatchObject({ id: 'ann' });
    // Remembered now.
    expect(await verifier.verify(token)).toMatchObject({ id: 'ann' });
  });

  it('of staff is good alike', async () => {
    staffRole = 'admin';
    for (const [, payload] of ahead(60)) {
      const claimed = { ...claims(), ...payload, sub: ADMIN, role: 'admin', sid: SESSION };
      expect(await verifier.verify(await sign(claimed, STAFF_SECRET, 'HS256', 'staff'))).toMatchObject({ id: ADMIN });
    }
  });

  it('ends when it says, remembered or not', async () => {
    const exp = seconds() + 24 * HOUR + 60;
    const token = await sign({ ...claims(), exp });
    expect(await verifier.verify(token)).not.toBeNull();
    now = exp * 1000;
    expect(await verifier.verify(token)).toBeNull();
    expect(await new AccessTokenVerifier(tokens, sessions, clock).verify(token)).toBeNull();
  });
});

describe('an access token of staff', () => {
  const issue = () => tokens.issue(ADMIN, 60_000, { role: 'admin', sessionId: SESSION });
  beforeEach(() => void (staffRole = 'admin'));

  it('opens what the role opens that the database tells, at each request', async () => {
    const { token } = await issue();
    const actor = `user:${ADMIN}`;
    expect(await verifier.verify(token)).toEqual({ kind: 'staff', id: ADMIN, scopes: ['admin'], actor });
    staffRole = 'operator';
    expect(await verifier.verify(token)).toMatchObject({ kind: 'staff', scopes: SCOPES_OF.operator });
    staffRole = undefined;
    expect(await verifier.verify(token)).toBeNull();
  });

  it.each<[string, JWTPayload]>([
    ['of a session there is not', { sub: ADMIN, role: 'admin', sid: ADMIN }],
    ['of another user', { sub: SESSION, role: 'admin', sid: SESSION }],
    ['without a session', { sub: ADMIN, role: 'admin' }],
    ['of a session that is no id', { sub: ADMIN, role: 'admin', sid: 'x' }],
    ['of a role there is not', { sub: ADMIN, role: 'root', sid: SESSION }],
    ['of a role that is no text', { sub: ADMIN, role: ['admin'], sid: SESSION }],
  ])('%s opens nothing', async (_, payload) => {
    const token = await sign({ ...claims(), ...payload }, STAFF_SECRET, 'HS256', 'staff');
    expect(await verifier.verify(token)).toBeNull();
  });

  it('is signed with a key that the services do not have who sign for users', async () => {
    const payload = { ...claims(), sub: ADMIN, role: 'admin', sid: SESSION };
    expect(await verifier.verify(await sign(payload, STAFF_SECRET, 'HS256', 'staff'))).toMatchObject({ kind: 'staff' });
    expect(await verifier.verify(await sign(payload))).toBeNull();
    expect(await verifier.verify(await sign(payload, SECRET, 'HS256', 'staff'))).toBeNull();
    expect(await verifier.verify(await sign(payload, STAFF_SECRET))).toBeNull();
    expect(await verifier.verify(await sign(claims(), STAFF_SECRET, 'HS256', 'staff'))).toBeNull();
  });

  it('ends like any other', async () => {
    const { token, expiresAt } = await issue();
    expect(await verifier.verify(token)).not.toBeNull();
    now = expiresAt;
    expect(await verifier.verify(token)).toBeNull();
  });
});

describe('no access token', () => {
  it.each<[string, () => Promise<string> | string]>([
    ['one without a signature', () => new UnsecuredJWT(claims()).encode()],
    ['one signed with another secret', () => sign(claims(), Buffer.from('x'.repeat(32)))],
    ['one signed by another algorithm', () => sign(claims(), Buffer.from(SECRET.toString().padEnd(64)), 'HS512')],
    ['one that has expired', () => sign({ ...claims(), exp: seconds() })],
    ['one that expired within the leeway', () => sign({ ...claims(), exp: seconds() - 1 })],
    ['one that is not in force for more than a minute', () => sign({ ...claims(), nbf: seconds() + 61 })],
    ['one that is issued in more than a minute', () => sign({ ...claims(), iat: seconds() + 61 })],
    ['one that never expires', () => sign({ ...claims(), exp: undefined })],
    ['one that lives for more than a day and a minute', () => sign({ ...claims(), exp: seconds() + 24 * HOUR + 61 })],
    ['one for somebody else', () => sign({ ...claims(), aud: 'other-api' })],
    ['one for nobody', () => sign({ ...claims(), aud: undefined })],
    ['one of another issuer', () => sign({ ...claims(), iss: 'other' })],
    ['one of no user', () => sign({ ...claims(), sub: undefined })],
    ['one of a user without a name', () => sign({ ...claims(), sub: '' })],
    ['one of a user with a space', () => sign({ ...claims(), sub: 'ann b' })],
    ['one of a user whose name has no end', () => sign({ ...claims(), sub: 'a'.repeat(129) })],
    ['one of a user that is a number', () => sign({ ...claims(), sub: 7 as unknown as string })],
    ['one for a role that is not a user’s, without its session', () => sign({ ...claims(), role: 'admin' })],
    ['one of absurd length', () => sign({ ...claims(), padding: 'x'.repeat(2048) })],
    ['an API key', () => `hf_test_${'a'.repeat(49)}`],
    ['three dots', () => '...'],
    ['nothing', () => ''],
  ])('is %s', async (_, make) => {
    expect(await verifier.verify(await make())).toBeNull();
  });

  it('is one with a single character changed, left out or put in', async () => {
    const { token } = await tokens.issue('ann', 60_000);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(token.length - 1),
        fc.nat(1),
        fc.constantFrom('', 'A', 'b', '_', '.', '=', 'é'),
        async (at, width, put) => {
          const changed = token.slice(0, at) + put + token.slice(at + width);
          // The last character of a signature carries two bits that decode to nothing.
          fc.pre(changed !== token && at < token.length - 1);
          expect(await verifier.verify(changed)).toBeNull();
        },
      ),
    );
  });

  it('is any other text', async () => {
    const part = fc.oneof(
      fc.base64String(),
      fc.json().map((json) => Buffer.from(json).toString('base64url')),
    );
    const text = fc.oneof(
      fc.string(),
      fc.tuple(part, part, part).map((parts) => parts.join('.')),
    );
    await fc.assert(
      fc.asyncProperty(text, async (each) => {
        expect(await verifier.verify(each)).toBeNull();
      }),
    );
  });
});

describe('issuing', () => {
  it.each([
    ['', 60_000],
    ['ann b', 60_000],
    ['a'.repeat(129), 60_000],
    ['ann', 999],
    ['ann', 24 * 3_600_000 + 1],
    ['ann', Number.NaN],
  ])('refuses the user "%s" for %d ms', async (userId, lifetimeMs) => {
    await expect(tokens.issue(userId, lifetimeMs)).rejects.toThrow(RangeError);
  });
});
