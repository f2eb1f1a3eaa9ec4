import { join } from 'node:path';
import { runInNewContext } from 'node:vm';
import { afterAll, describe, expect, it } from '@jest/globals';
import { AccountClient, PASSWORD } from '../support/account-client.js';
import { type Answer, expectProblem } from '../support/http-answer.js';
import { MailFolder } from '../support/mail-folder.js';
import { Scrape } from '../support/metrics.js';
import { expectNoSecrets, serverUnderTest } from '../support/server-under-test.js';
import { makeTempFolder, removeTempFolder } from '../support/temp-folder.js';
import { userToken } from '../support/user-token.js';
import { waitFor } from '../support/wait-for.js';

const folder = makeTempFolder('accounts');
const dataDir = join(folder, 'data');
// In production no link is logged: what the log holds then must not let anybody in.
const holdfast = serverUnderTest({
  env: {
    DATA_DIR: dataDir,
    NODE_ENV: 'production',
    EMAIL_VERIFICATION_RATE_LIMIT: '0',
    EMAIL_PASSWORD_RESET_RATE_LIMIT: '0',
    PUBLIC_URL: 'https://pay.example',
  },
});
const mailbox = new MailFolder(dataDir);
const client = new AccountClient(holdfast, mailbox);
const { post, as } = { post: client.post.bind(client), as: client.as.bind(client) };
afterAll(() => removeTempFolder(folder));

const OTHER_PASSWORD = 'another horse battery';
let people = 0;
const somebody = () => `somebody${++people}@example.com`;

/** What a caller can compare two answers by. */
function shape({ status, headers, body }: Answer) {
  const { requestId: _, ...rest } = body;
  const varying = new Set(['date', 'x-request-id', 'x-ratelimit-reset', 'x-ratelimit-remaining', 'ratelimit']);
  return { status, body: rest, headers: [...headers].filter(([name]) => !varying.has(name)) };
}

async function actions(subject: string): Promise<unknown[]> {
  const lines = await holdfast.sql<{ action: string }>(
    'SELECT action FROM audit_log WHERE subject = $1 ORDER BY at, id',
    [subject],
  );
  return lines.map(({ action }) => action);
}

/** Transactions that ran again: PostgreSQL ends a deadlock, after a second, by failing one of them. */
async function retries(): Promise<number> {
  return (await Scrape.of(holdfast.server)).value('holdfast_transactions_total', { outcome: 'retried' }) ?? 0;
}

describe('A user', () => {
  it('registers, verifies, logs in, looks at the account and logs out', async () => {
    const email = somebody();
    const registered = await post('register', { email, password: PASSWORD });
    expect(registered).toMatchObject({ status: 202, body: { message: expect.any(String) } });
    const mail = await mailbox.next(email, 'verification');
    expect(mail.text).toContain(`https://pay.example/verify-email#token=${mail.token}`);
    expect(mail.html).toContain(`href="https://pay.example/verify-email#token=${mail.token}"`);
    expect(await post('verify-email', { token: mail.token })).toMatchObject({
      status: 200,
      body: { verified: true, passwordNeeded: false },
    });

    const login = await post('login', { email, password: PASSWORD });
    expect(login).toMatchObject({ status: 200, body: { tokenType: 'Bearer', expiresIn: 900 } });
    const { accessToken, refreshToken } = login.body as Record<string, string>;
    const me = await as(accessToken ?? '', 'GET', '/api/auth/me');
    expect(me).toMatchObject({ status: 200, body: { email, role: 'user', subscription: 'free' } });

    expect((await post('logout', { refreshToken })).status).toBe(204);
    expectProblem(await post('refresh', { refreshToken }), 401, 'UNAUTHENTICATED');
    expect((await post('logout', { refreshToken })).status).toBe(204);
    expect(await actions(`user:${String(me.body['id'])}`)).toEqual([
      'user.registered',
      'session.opened',
      'session.closed',
    ]);
  });

  it('is the same user however the address is written', async () => {
    await client.signUp('zoë@bücher.example');
    const { accessToken } = await client.logIn('ZOË@BÜCHER.example');
    expect((await as(accessToken, 'GET', '/api/auth/me')).body['email']).toBe('zoë@xn--bcher-kva.example');
  });

  it('reaches the own wallet and nobody else’s', async () => {
    const [ann, ben] = [await client.newUser(somebody()), await client.newUser(somebody())];
    for (const { id } of [ann, ben]) {
      await holdfast.call('POST', '/api/wallet/accounts', { userId: id, currency: 'USD' });
    }
    const balance = (of: string) => `/api/wallet/balance?userId=${of}&currency=USD`;
    expect((await as(ann.accessToken, 'GET', balance(ann.id))).status).toBe(200);
    expectProblem(await as(ann.accessToken, 'GET', balance(ben.id)), 404, 'NOT_FOUND');
    for (const path of ['/api/users', `/api/users/${ann.id}`, '/api/api-keys', '/api/audit', '/api/webhook-events']) {
      expectProblem(await as(ann.accessToken, 'GET', path), 403, 'FORBIDDEN');
    }
    expectProblem(await as(ann.accessToken, 'PUT', `/api/users/${ann.id}/role`, { role: 'admin' }), 403, 'FORBIDDEN');
  });

  it('cannot give itself a role or a subscription', async () => {
    for (const extra of [
      { role: 'admin' },
      { subscription: 'pro' },
      { emailVerifiedAt: '2030-01-01T00:00:00Z' },
      { id: 1 },
    ]) {
      expectProblem(
        await post('register', { email: somebody(), password: PASSWORD, ...extra }),
        400,
        'VALIDATION_FAILED',
      );
    }
  });

  it.each<[string, unknown]>([
    ['an address that is none', { email: 'nobody', password: PASSWORD }],
    ['no address', { password: PASSWORD }],
    ['an address that is an object', { email: { $ne: '' }, password: PASSWORD }],
    ['a password of nine characters', { email: 'a@example.com', password: 'ninechars' }],
    ['a password of 129', { email: 'a@example.com', password: 'ab1'.repeat(43) }],
    ['a common password', { email: 'a@example.com', password: 'Password123!' }],
    ['one character over and over', { email: 'a@example.com', password: 'aaaaaaaaaaaa' }],
    ['a password that is a list', { email: 'a@example.com', password: [PASSWORD] }],
  ])('is told what is wrong with %s', async (_, body) => {
    expectProblem(await post('register', body), 400, 'VALIDATION_FAILED');
  });
});

describe('Whether an address has an account', () => {
  it('cannot be told from the answers', async () => {
    const [known, unverified, unknown] = [somebody(), somebody(), somebody()];
    await client.signUp(known);
    await post('register', { email: unverified, password: PASSWORD });
    await mailbox.next(unverified, 'verification');

    for (const route of ['forgot', 'resend-verification']) {
      const answers = [await post(route, { email: known }), await post(route, { email: unverified })];
      const expected = shape(await post(route, { email: unknown }));
      expect(expected.status).toBe(202);
      for (const answer of answers) expect(shape(answer)).toEqual(expected);
    }
    const wrong = { password: OTHER_PASSWORD };
    const expected = shape(await post('login', { email: unknown, ...wrong }));
    expect(expected.status).toBe(401);
    expect(shape(await post('login', { email: known, ...wrong }))).toEqual(expected);
    expect(shape(await post('login', { email: unverified, ...wrong }))).toEqual(expected);
    expect(shape(await post('login', { email: unverified, password: PASSWORD }))).toEqual(expected);
    const again = shape(await post('register', { email: known, ...wrong }));
    expect(again).toEqual(shape(await post('register', { email: somebody(), ...wrong })));
  });

  it('shows in no refusal of another mail either, which says what there were too many of', async () => {
    const [known, unknown] = [somebody(), somebody()];
    await client.signUp(known);
    for (const [kind, routes, what] of [
      ['verification', ['resend-verification', 'register'], 'verification'],
      ['password-reset', ['forgot'], 'password reset'],
    ] as const) {
      for (const email of [known, unknown]) {
        const path = `/api/email-limits/${kind}/${encodeURIComponent(email)}/override`;
        expect((await holdfast.call('PUT', path, { limit: 1 })).status).toBe(200);
        expect((await post(kind === 'verification' ? 'resend-verification' : 'forgot', { email })).status).toBe(202);
      }
      for (const route of routes) {
        const body = (email: string) => ({ email, ...(route === 'register' && { password: OTHER_PASSWORD }) });
        const refused = await post(route, body(known));
        expectProblem(refused, 429, 'RATE_LIMIT_EXCEEDED');
        expect(refused.body['detail']).toBe(`Too many ${what} emails. Please wait before requesting another.`);
        const { title, detail, code } = (await post(route, body(unknown))).body;
        expect({ title, detail, code }).toEqual({
          title: refused.body['title'],
          detail: refused.body['detail'],
          code: refused.body['code'],
        });
      }
    }
  });

  it('is told to its owner alone, whose password stays', async () => {
    const email = somebody();
    await client.signUp(email);
    await post('register', { email, password: OTHER_PASSWORD });
    const mail = await mailbox.next(email, 'already-registered');
    expect(mail.token).toBe('');
    expectProblem(await post('login', { email, password: OTHER_PASSWORD }), 401, 'UNAUTHENTICATED');
    await client.logIn(email);
  });

  it('no mail goes to an address without one', async () => {
    const email = somebody();
    await post('forgot', { email });
    await post('resend-verification', { email });
    // Jobs are taken in order of their time: once this one's mail is there, theirs would be too.
    await client.signUp(somebody());
    expect(mailbox.all(email)).toEqual([]);
  });
});

describe('A verification', () => {
  it('can be asked for again; one of the links is enough, and the others end with it', async () => {
    const email = somebody();
    await post('register', { email, password: PASSWORD });
    await post('resend-verification', { email });
    const [first, second] = [await mailbox.next(email, 'verification'), await mailbox.next(email, 'verification')];
    expect((await post('verify-email', { token: first.token })).status).toBe(200);
    expectProblem(await post('verify-email', { token: second.token }), 400, 'TOKEN_INVALID');
    await client.logIn(email);
  });

  it('is one for somebody who registers twice with the same password', async () => {
    const email = somebody();
    await post('register', { email, password: PASSWORD });
    await post('register', { email: email.toUpperCase(), password: PASSWORD });
    const [first, second] = [await mailbox.next(email, 'verification'), await mailbox.next(email, 'verification')];
    expect((await post('verify-email', { token: first.token })).body).toEqual({
      verified: true,
      passwordNeeded: false,
    });
    expectProblem(await post('verify-email', { token: second.token }), 400, 'TOKEN_INVALID');
    await client.logIn(email);
  });

  it.each(['first', 'last', 'resent'])(
    'lets nobody in with a password of theirs when strangers registered the address too: by the %s link',
    async (which) => {
      const email = somebody();
      await post('register', { email, password: PASSWORD });
      const first = await mailbox.next(email, 'verification');
      await post('register', { email, password: OTHER_PASSWORD });
      const last = await mailbox.next(email, 'verification');
      await post('resend-verification', { email });
      const resent = await mailbox.next(email, 'verification');
      const { token } = { first, last, resent }[which] ?? first;

      const verified = await post('verify-email', { token });
      expect(verified).toMatchObject({ status: 200, body: { verified: true, passwordNeeded: true } });
      for (const password of [PASSWORD, OTHER_PASSWORD]) {
        expectProblem(await post('login', { email, password }), 401, 'UNAUTHENTICATED');
      }
      const reset = await mailbox.next(email, 'password-reset');
      await post('reset', { token: reset.token, password: 'a third horse battery' });
      await client.logIn(email, 'a third horse battery');
      for (const other of [first, last, resent]) {
        expectProblem(await post('verify-email', { token: other.token }), 400, 'TOKEN_INVALID');
      }
    },
  );

  it('counts against strangers from the moment it is answered, not only once its mail is out', async () => {
    const email = somebody();
    await post('register', { email, password: OTHER_PASSWORD });
    const strangers = await mailbox.next(email, 'verification');
    await post('register', { email, password: PASSWORD });
    expect((await post('verify-email', { token: strangers.token })).body).toMatchObject({ passwordNeeded: true });
    expectProblem(await post('login', { email, password: OTHER_PASSWORD }), 401, 'UNAUTHENTICATED');
  });

  it('happens once, whichever of five links are opened at once, and nobody waits for a deadlock', async () => {
    const before = await retries();
    for (let round = 0; round < 4; round++) {
      const email = somebody();
      for (let n = 0; n < 5; n++) await post('register', { email, password: PASSWORD });
      const tokens: string[] = [];
      while (tokens.length < 5) tokens.push((await mailbox.next(email, 'verification')).token);
      const answers = await Promise.all([...tokens, ...tokens].map((token) => post('verify-email', { token })));
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 400)).toHaveLength(9);
    }
    expect(await retries()).toBe(before);
  });

  it('happens once of twenty at once', async () => {
    const email = somebody();
    await post('register', { email, password: PASSWORD });
    const { token } = await mailbox.next(email, 'verification');
    const answers = await Promise.all(Array.from({ length: 20 }, () => post('verify-email', { token })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ body }) => body['code'] === 'TOKEN_INVALID')).toHaveLength(19);
  });

  it('needs a token that is ours, unexpired, and for this', async () => {
    const email = somebody();
    await client.signUp(email);
    const reset = await client.forgot(email);
    for (const token of [reset, '', 'x', `${reset}x`, 'hfm_'.padEnd(47, 'a'), "' OR 1=1 --"]) {
      expectProblem(await post('verify-email', { token }), 400, 'TOKEN_INVALID');
    }
    const late = somebody();
    await post('register', { email: late, password: PASSWORD });
    const { token } = await mailbox.next(late, 'verification');
    await holdfast.sql(`UPDATE registrations SET expires_at = now()`);
    expectProblem(await post('verify-email', { token }), 400, 'TOKEN_INVALID');
  });
});

describe('A session', () => {
  it('goes on with each refresh, and every token is good once', async () => {
    const { id, refreshToken } = await client.newUser(somebody());
    const second = (await post('refresh', { refreshToken })).body as Record<string, string>;
    const third = await post('refresh', { refreshToken: second['refreshToken'] });
    expect(third).toMatchObject({ status: 200, body: { expiresIn: 900 } });
    expect(third.body['refreshToken']).not.toBe(second['refreshToken']);

    // Whoever stole one, or was stolen from, comes with a used one.
    expectProblem(await post('refresh', { refreshToken: second['refreshToken'] }), 401, 'UNAUTHENTICATED');
    expectProblem(await post('refresh', { refreshToken: third.body['refreshToken'] }), 401, 'UNAUTHENTICATED');
    expect(await actions(`user:${id}`)).toContain('session.token_reused');
  });

  it('survives no two refreshes with one token at once', async () => {
    const { refreshToken } = await client.newUser(somebody());
    const answers = await Promise.all(Array.from({ length: 10 }, () => post('refresh', { refreshToken })));
    const good = answers.filter(({ status }) => status === 200);
    expect(good).toHaveLength(1);
    expectProblem(await post('refresh', { refreshToken: good[0]?.body['refreshToken'] }), 401, 'UNAUTHENTICATED');
  });

  it('is one of several, which do not end with it', async () => {
    const email = somebody();
    const first = await client.newUser(email);
    const second = await client.logIn(email);
    await post('logout', { refreshToken: first.refreshToken });
    expect((await post('refresh', { refreshToken: second.refreshToken })).status).toBe(200);
  });

  it('expires when it is not used', async () => {
    const { id, refreshToken } = await client.newUser(somebody());
    await holdfast.sql('UPDATE sessions SET expires_at = now() WHERE user_id = $1', [id]);
    expectProblem(await post('refresh', { refreshToken }), 401, 'UNAUTHENTICATED');
  });

  it.each(['', 'x', 'hfr_'.padEnd(47, 'a'), 'hfm_'.padEnd(47, 'a')])('is nothing "%s" opens', async (refreshToken) => {
    expectProblem(await post('refresh', { refreshToken }), 401, 'UNAUTHENTICATED');
    expect((await post('logout', { refreshToken })).status).toBe(204);
  });
});

describe('A forgotten password', () => {
  it('is replaced by mail, which ends every session and every other link', async () => {
    const email = somebody();
    const { refreshToken } = await client.newUser(email);
    const [first, token] = [await client.forgot(email), await client.forgot(email)];
    expectProblem(await post('reset', { token, password: 'short' }), 400, 'VALIDATION_FAILED');
    expect(await post('reset', { token, password: OTHER_PASSWORD })).toMatchObject({
      status: 200,
      body: { reset: true },
    });
    for (const used of [first, token]) {
      expectProblem(await post('reset', { token: used, password: PASSWORD }), 400, 'TOKEN_INVALID');
    }
    expectProblem(await post('refresh', { refreshToken }), 401, 'UNAUTHENTICATED');
    expectProblem(await post('login', { email, password: PASSWORD }), 401, 'UNAUTHENTICATED');
    await client.logIn(email, OTHER_PASSWORD);
    expect((await mailbox.next(email, 'password-changed')).subject).toBe('Your password was changed');
  });

  it('of an address that is not proved yet is answered with a link that proves it and brings no password', async () => {
    const email = somebody();
    await post('register', { email, password: PASSWORD });
    await mailbox.next(email, 'verification');
    await post('forgot', { email });
    const { token } = await mailbox.next(email, 'verification');
    expect((await post('verify-email', { token })).body).toEqual({ verified: true, passwordNeeded: true });
    // Perhaps a stranger's: whoever forgot it cannot say.
    expectProblem(await post('login', { email, password: PASSWORD }), 401, 'UNAUTHENTICATED');
    const reset = await mailbox.next(email, 'password-reset');
    await post('reset', { token: reset.token, password: OTHER_PASSWORD });
    await client.logIn(email, OTHER_PASSWORD);
  });

  it('is replaced once, whichever of its links are used at once, and nobody waits for a deadlock', async () => {
    const email = somebody();
    await client.signUp(email);
    const before = await retries();
    for (let round = 0; round < 6; round++) {
      const tokens = [await client.forgot(email), await client.forgot(email), await client.forgot(email)];
      const answers = await Promise.all(
        [...tokens, ...tokens].map((token) => post('reset', { token, password: `${OTHER_PASSWORD} ${round}` })),
      );
      expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
      expect(answers.filter(({ status }) => status === 400)).toHaveLength(5);
    }
    expect(await retries()).toBe(before);
  });

  it('cannot be outrun by a login with the old one', async () => {
    for (let round = 0; round < 5; round++) {
      const email = somebody();
      await client.signUp(email);
      const token = await client.forgot(email);
      const logins = Array.from({ length: 4 }, () => post('login', { email, password: PASSWORD }));
      await post('reset', { token, password: OTHER_PASSWORD });
      for (const { status, body } of await Promise.all(logins)) {
        if (status !== 200) continue;
        expectProblem(await post('refresh', { refreshToken: body['refreshToken'] }), 401, 'UNAUTHENTICATED');
      }
    }
  });

  it('is not replaced with a token of verification, or after its hour', async () => {
    const email = somebody();
    await post('register', { email, password: PASSWORD });
    const { token: verification } = await mailbox.next(email, 'verification');
    expectProblem(await post('reset', { token: verification, password: OTHER_PASSWORD }), 400, 'TOKEN_INVALID');
    const known = somebody();
    await client.signUp(known);
    const token = await client.forgot(known);
    const [row] = await holdfast.sql<{ seconds: number }>(
      `SELECT max(extract(epoch FROM expires_at - now()))::int AS seconds FROM password_reset_tokens`,
    );
    expect(row?.seconds).toBeGreaterThan(3500);
    expect(row?.seconds).toBeLessThanOrEqual(3600);
    await holdfast.sql(`UPDATE password_reset_tokens SET expires_at = now()`);
    expectProblem(await post('reset', { token, password: OTHER_PASSWORD }), 400, 'TOKEN_INVALID');
  });
});

describe('Staff', () => {
  const promote = (id: string, role: string) => holdfast.call('PUT', `/api/users/${id}/role`, { role });

  it('are made by an admin, and act by their role from the next login on', async () => {
    const email = somebody();
    const user = await client.newUser(email);
    expect(await promote(user.id, 'admin')).toMatchObject({ status: 200, body: { role: 'admin' } });
    expectProblem(await as(user.accessToken, 'GET', '/api/users'), 403, 'FORBIDDEN');
    // A session from before, which somebody may have stolen, does not become an admin's.
    expectProblem(await post('refresh', { refreshToken: user.refreshToken }), 401, 'UNAUTHENTICATED');
    const { accessToken } = await client.logIn(email);
    expect((await as(accessToken, 'GET', '/api/users')).status).toBe(200);
    expect((await as(accessToken, 'GET', '/api/auth/me')).body).toMatchObject({ id: user.id, role: 'admin' });

    await promote(user.id, 'operator');
    expectProblem(await as(accessToken, 'GET', '/api/users'), 401, 'UNAUTHENTICATED');
    const operator = (await client.logIn(email)).accessToken;
    expectProblem(await as(operator, 'GET', '/api/users'), 403, 'FORBIDDEN');
    expect((await as(operator, 'GET', '/api/webhook-events')).status).toBe(200);
    const key = { name: 'x', scopes: ['audit:read'] };
    expectProblem(await as(operator, 'POST', '/api/api-keys', key), 403, 'FORBIDDEN');

    await promote(user.id, 'user');
    expectProblem(await as(operator, 'GET', '/api/webhook-events'), 401, 'UNAUTHENTICATED');
  });

  it('are out at once when they log out, set a new password or are logged out', async () => {
    const email = somebody();
    const { id } = await client.newUser(email);
    await promote(id, 'admin');
    const isIn = async (token: string) => (await as(token, 'GET', '/api/users')).status === 200;

    const first = await client.logIn(email);
    expect(await isIn(first.accessToken)).toBe(true);
    await post('logout', { refreshToken: first.refreshToken });
    expect(await isIn(first.accessToken)).toBe(false);

    const second = await client.logIn(email);
    await post('reset', { token: await client.forgot(email), password: OTHER_PASSWORD });
    expect(await isIn(second.accessToken)).toBe(false);

    const third = await client.logIn(email, OTHER_PASSWORD);
    expect((await holdfast.call('DELETE', `/api/users/${id}/sessions`)).status).toBe(204);
    expect(await isIn(third.accessToken)).toBe(false);
    expect((await actions(`user:${id}`)).filter((action) => String(action).startsWith('user.'))).toEqual([
      'user.registered',
      'user.role_changed',
      'user.password_forgotten',
      'user.password_reset',
      'user.logged_out',
    ]);
  });

  it('make keys for services, which stay, and no admin keys, which would outlive the role', async () => {
    const email = somebody();
    const { id } = await client.newUser(email);
    await promote(id, 'admin');
    const { accessToken } = await client.logIn(email);
    const make = (scope: string) => as(accessToken, 'POST', '/api/api-keys', { name: 'theirs', scopes: [scope] });
    expectProblem(await make('admin'), 403, 'FORBIDDEN');
    const key = String((await make('webhooks:read')).body['key']);
    await promote(id, 'user');
    expect((await as(key, 'GET', '/api/webhook-events')).status).toBe(200);
  });

  it('cannot give themselves back a role that is being taken away', async () => {
    const email = somebody();
    const { id } = await client.newUser(email);
    for (let round = 0; round < 5; round++) {
      await promote(id, 'admin');
      const { accessToken } = await client.logIn(email);
      const own = () => as(accessToken, 'PUT', `/api/users/${id}/role`, { role: 'admin' });
      const [, demoted] = await Promise.all([own(), promote(id, 'user'), own(), own()]);
      expect(demoted.status).toBe(200);
      expect((await holdfast.call('GET', `/api/users/${id}`)).body['role']).toBe('user');
    }
  });

  it('set subscriptions, find users by address, and page through them', async () => {
    const email = somebody();
    const { id } = await client.newUser(email);
    const set = (tier: unknown) => holdfast.call('PUT', `/api/users/${id}/subscription`, { tier });
    expect(await set('pro')).toMatchObject({ status: 200, body: { id, subscription: 'pro' } });
    expectProblem(await set('platinum'), 400, 'VALIDATION_FAILED');
    const found = await holdfast.call('GET', `/api/users?email=${encodeURIComponent(email.toUpperCase())}`);
    expect(found.body).toEqual({
      data: [expect.objectContaining({ id, email, subscription: 'pro' })],
      nextCursor: null,
    });
    expect(found.text).not.toMatch(/argon2|password/i);

    const first = await holdfast.call('GET', '/api/users?limit=2');
    const next = await holdfast.call('GET', `/api/users?limit=2&cursor=${String(first.body['nextCursor'])}`);
    const ids = [first, next].flatMap(({ body }) => (body['data'] as { id: string }[]).map((user) => user.id));
    expect(new Set(ids).size).toBe(4);
    expect(ids).toEqual(ids.toSorted().toReversed());
  });

  it.each(['01890000-0000-7000-8000-000000000000', 'not-a-uuid'])('are told that there is no user %s', async (id) => {
    expectProblem(await holdfast.call('GET', `/api/users/${id}`), 404, 'NOT_FOUND');
    expectProblem(await holdfast.call('PUT', `/api/users/${id}/role`, { role: 'user' }), 404, 'NOT_FOUND');
    expectProblem(await holdfast.call('PUT', `/api/users/${id}/subscription`, { tier: 'pro' }), 404, 'NOT_FOUND');
    expectProblem(await holdfast.call('DELETE', `/api/users/${id}/sessions`), 404, 'NOT_FOUND');
  });

  it('are people: an API key has no account, nor has a user of another service', async () => {
    expectProblem(await holdfast.call('GET', '/api/auth/me'), 403, 'FORBIDDEN');
    expectProblem(await as(await userToken('of-another-service'), 'GET', '/api/auth/me'), 404, 'NOT_FOUND');
  });
});

describe('The pages that mailed links lead to', () => {
  it.each([
    ['/verify-email', '/api/auth/verify-email'],
    ['/reset-password', '/api/auth/reset'],
  ])('%s sends the token to %s, by a script that our own policy allows', async (path, action) => {
    const answer = await fetch(holdfast.server.url + path);
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(answer.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer');
    const html = await answer.text();
    expect(html).toContain(`data-action="${action}"`);
    expect(html).toContain('<script src="/account-pages.js"></script>');
    expect(html).not.toMatch(/ on\w+=|<style|style=/);
  });

  it('send it once the button is pressed, and say what came of it', async () => {
    const email = somebody();
    await post('register', { email, password: PASSWORD });
    const { token } = await mailbox.next(email, 'verification');
    const page = await openPage('/verify-email', `#token=${token}`);
    expect(page.address).toBe('/verify-email');
    expectProblem(await post('login', { email, password: PASSWORD }), 401, 'UNAUTHENTICATED');
    await page.submit({});
    expect(page.status.textContent).toBe('Your address is verified. You can log in now.');
    await page.submit({});
    expect(page.status.textContent).toContain('has been used');

    const reset = await openPage('/reset-password', `#token=${await client.forgot(email)}`);
    await reset.submit({ password: 'short' });
    expect(reset.status.textContent).toContain('10 to 128 characters');
    await reset.submit({ password: OTHER_PASSWORD });
    expect(reset.status.textContent).toBe('Your password is set. You can log in with it now.');
    await client.logIn(email, OTHER_PASSWORD);
    expect((await openPage('/verify-email', '')).status.textContent).toContain('not complete');
  });
});

/** Runs the page's script on just as much of a browser as it uses; its requests go to the server. */
async function openPage(path: string, hash: string) {
  const { url } = holdfast.server;
  const html = await (await fetch(url + path)).text();
  const script = await fetch(`${url}/account-pages.js`);
  expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
  const data = (name: string) => new RegExp(`data-${name}="([^"]*)"`).exec(html)?.[1];
  const status = { textContent: '' };
  const button = { disabled: false };
  let fields: Record<string, string> = {};
  let onSubmit: (event: object) => Promise<void> = () => Promise.reject(new Error('no listener'));
  const form = {
    hidden: false,
    dataset: { action: data('action'), done: data('done') },
    querySelector: () => button,
    addEventListener: (_: string, listener: typeof onSubmit) => (onSubmit = listener),
  };
  const page = {
    status,
    address: '',
    submit: async (values: Record<string, string>) => {
      fields = values;
      await onSubmit({ preventDefault: () => undefined });
      expect(button.disabled).toBe(false);
    },
  };
  runInNewContext(await script.text(), {
    document: { querySelector: (selector: string) => (selector === 'form' ? form : status) },
    location: { hash, pathname: path },
    history: { replaceState: (_: null, __: string, address: string) => (page.address = address) },
    URLSearchParams,
    FormData: function FormData() {
      return Object.entries(fields);
    },
    fetch: (to: string, init: RequestInit) => fetch(new URL(to, url), init),
  });
  return page;
}

describe('What is kept', () => {
  it('is no password and no token, in no table and no line of the log', async () => {
    const email = somebody();
    const { accessToken, refreshToken } = await client.newUser(email);
    const token = await client.forgot(email);
    const secrets = [PASSWORD, accessToken, refreshToken, token];
    for (const table of [
      'users',
      'sessions',
      'refresh_tokens',
      'registrations',
      'password_reset_tokens',
      'jobs',
      'audit_log',
      'email_limits',
    ]) {
      const rows = await holdfast.sql<{ row: string }>(`SELECT t::text AS row FROM ${table} AS t`);
      for (const secret of secrets) expect(rows.filter(({ row }) => row.includes(secret))).toEqual([]);
      if (table !== 'users' && table !== 'registrations')
        expect(rows.filter(({ row }) => row.includes(email))).toEqual([]);
    }
    const [user] = await holdfast.sql<{ password_hash: string }>('SELECT password_hash FROM users WHERE email = $1', [
      email,
    ]);
    expect(user?.password_hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    await waitFor(() => holdfast.server.logs().some(({ msg }) => msg.startsWith('Mail written')));
    expectNoSecrets(holdfast.server.output(), [...secrets, email]);
  });
});
