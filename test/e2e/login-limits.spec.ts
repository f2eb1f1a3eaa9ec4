import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { AccountClient, PASSWORD } from '../support/account-client.js';
import { type Answer, expectProblem } from '../support/http-answer.js';
import { MailFolder } from '../support/mail-folder.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { makeTempFolder, removeTempFolder } from '../support/temp-folder.js';

const folder = makeTempFolder('login-limits');
const dataDir = join(folder, 'data');
// The tests come from as many addresses as they like: the proxy they pretend to be is trusted.
const holdfast = serverUnderTest({
  env: { DATA_DIR: dataDir, AUTH_RATE_LIMIT: '5', TRUSTED_PROXIES: '127.0.0.1', EMAIL_PASSWORD_RESET_RATE_LIMIT: '0' },
});
const mails = new MailFolder(dataDir);
const client = new AccountClient(holdfast, mails);
afterAll(() => removeTempFolder(folder));

let people = 0;
let networks = 0;
const somebody = () => `guessed${++people}@example.com`;
const somewhere = () => `203.0.113.${++networks}`;

const login = (ip: string, email: string, password = 'wrong horse battery'): Promise<Answer> =>
  client.post('login', { email, password }, { 'x-forwarded-for': ip });

/** Five strangers' guesses: the account's limit is used up. */
async function guess(email: string): Promise<void> {
  for (let n = 0; n < 5; n++) expectProblem(await login(somewhere(), email), 401, 'UNAUTHENTICATED');
}

describe('Guessing passwords', () => {
  it('ends after five failures from an address, whatever the accounts', async () => {
    const ip = somewhere();
    for (let n = 0; n < 5; n++) expectProblem(await login(ip, somebody()), 401, 'UNAUTHENTICATED');
    const refused = await login(ip, somebody());
    expectProblem(refused, 429, 'RATE_LIMIT_EXCEEDED');
    const { retryAfter, resetAt } = refused.body['details'] as { retryAfter: number; resetAt: string };
    expect(retryAfter).toBeGreaterThan(800);
    expect(Number(refused.headers.get('retry-after'))).toBe(retryAfter);
    expect(refused.headers.get('x-ratelimit-limit')).toBe('5');
    expect(refused.headers.get('x-ratelimit-remaining')).toBe('0');
    expect(Date.parse(resetAt)).toBe(Date.parse(refused.headers.get('x-ratelimit-reset') ?? ''));
    expect((await login(somewhere(), somebody())).status).toBe(401);
  });

  it('gains nothing from a proxy that writes ports behind addresses, and neither locks others out there', async () => {
    const ip = somewhere();
    for (let port = 50_001; port <= 50_005; port++) expect((await login(`${ip}:${port}`, somebody())).status).toBe(401);
    expectProblem(await login(`${ip}:50006`, somebody()), 429, 'RATE_LIMIT_EXCEEDED');
    expect((await login(`${somewhere()}:50001`, somebody())).status).toBe(401);
  });

  it('gains nothing from what is no address: it counts for, and is audited as, the proxy that let it through', async () => {
    const statuses: number[] = [];
    for (let n = 0; n < 25; n++) statuses.push((await login(`203.0.113.1, made-up-${n}`, somebody())).status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(5);
    expect(statuses.filter((status) => status === 429)).toHaveLength(20);
    const lines = await holdfast.sql<{ ip: string }>(
      `SELECT ip FROM audit_log WHERE action = 'login.failed' ORDER BY id DESC LIMIT 5`,
    );
    expect(lines.map(({ ip }) => ip)).toEqual(Array(5).fill('127.0.0.1'));
    expect(await holdfast.sql(`SELECT FROM audit_log WHERE ip LIKE '%made-up%'`)).toEqual([]);
    expect(holdfast.server.output()).not.toContain('made-up');
  });

  it.each(['an account', 'an address without one'])('ends after five failures on %s, wherever from', async (kind) => {
    const email = somebody();
    if (kind === 'an account') await client.signUp(email);
    await guess(email);
    expectProblem(await login(somewhere(), email), 429, 'RATE_LIMIT_EXCEEDED');
    expectProblem(await login(somewhere(), email.toUpperCase()), 429, 'RATE_LIMIT_EXCEEDED');
    // Not even the right one: it would tell that it is.
    expectProblem(await login(somewhere(), email, PASSWORD), 429, 'RATE_LIMIT_EXCEEDED');
  });

  it('learns nothing about the guesses of others', async () => {
    const email = somebody();
    for (let n = 0; n < 4; n++) {
      const { headers } = await login(somewhere(), email);
      expect(headers.get('x-ratelimit-remaining')).toBe('4');
    }
  });

  it('gains nothing from coming all at once', async () => {
    const email = somebody();
    const answers = await Promise.all(Array.from({ length: 20 }, () => login(somewhere(), email)));
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(5);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(15);
  });

  it('does not use up the address of somebody who is refused for the account’s sake', async () => {
    const [email, ip] = [somebody(), somewhere()];
    await guess(email);
    for (let n = 0; n < 6; n++) expectProblem(await login(ip, email), 429, 'RATE_LIMIT_EXCEEDED');
    expectProblem(await login(ip, somebody()), 401, 'UNAUTHENTICATED');
  });

  it('is counted and audited, with a hash in place of an address that has no account', async () => {
    const email = somebody();
    const before = await holdfast.sql(`SELECT FROM audit_log WHERE action = 'login.failed'`);
    await login(somewhere(), email);
    const lines = await holdfast.sql<{ subject: string; ip: string }>(
      `SELECT subject, ip FROM audit_log WHERE action = 'login.failed' ORDER BY id DESC`,
    );
    expect(lines.length).toBe(before.length + 1);
    expect(lines[0]).toEqual({ subject: expect.stringMatching(/^email:[0-9a-f]{16}$/), ip: `203.0.113.${networks}` });
    const metrics = await (await fetch(`${holdfast.server.url}/metrics`)).text();
    expect(metrics).toMatch(/holdfast_logins_total\{outcome="failed"\} [1-9]/);
  });
});

describe('The owner of an account', () => {
  it('may log in as often as they like', async () => {
    const [email, ip] = [somebody(), somewhere()];
    await client.signUp(email);
    for (let n = 0; n < 12; n++) expect((await login(ip, email, PASSWORD)).status).toBe(200);
  });

  it('gets in from where they were before, however often strangers have tried', async () => {
    const [email, home] = [somebody(), somewhere()];
    await client.signUp(email);
    await client.logIn(email, PASSWORD, { 'x-forwarded-for': home });
    await guess(email);
    expectProblem(await login(somewhere(), email, PASSWORD), 429, 'RATE_LIMIT_EXCEEDED');
    await client.logIn(email, PASSWORD, { 'x-forwarded-for': home });
    // Somebody at home who guesses is limited as well.
    for (let n = 0; n < 5; n++) expectProblem(await login(home, email), 401, 'UNAUTHENTICATED');
    expectProblem(await login(home, email), 429, 'RATE_LIMIT_EXCEEDED');
  });

  it('gets in from anywhere with a new password', async () => {
    const [email, abroad] = [somebody(), somewhere()];
    await client.signUp(email);
    await guess(email);
    expectProblem(await login(abroad, email, PASSWORD), 429, 'RATE_LIMIT_EXCEEDED');
    const token = await client.forgot(email);
    const password = 'another horse battery';
    await client.post('reset', { token, password }, { 'x-forwarded-for': abroad });
    await client.logIn(email, password, { 'x-forwarded-for': abroad });
  });
});

describe('Asking for mail', () => {
  it('ends after five registrations of an address an hour, known or not, and says nothing before', async () => {
    const [known, unknown] = [somebody(), somebody()];
    await client.signUp(known);
    const ask = (email: string) => client.post('resend-verification', { email });
    for (let n = 0; n < 4; n++) expect((await ask(known)).headers.get('x-ratelimit-remaining')).toBeNull();
    for (let n = 0; n < 5; n++) expect((await ask(unknown)).status).toBe(202);
    for (const email of [known, unknown, unknown.toUpperCase()]) {
      const refused = await ask(email);
      expectProblem(refused, 429, 'RATE_LIMIT_EXCEEDED');
      expect(refused.headers.get('x-ratelimit-limit')).toBe('5');
      expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3500);
      expectProblem(await client.post('register', { email, password: PASSWORD }), 429, 'RATE_LIMIT_EXCEEDED');
    }
  });

  it('lets no stranger in who used the limit up before the owner of the address came', async () => {
    const email = somebody();
    const [theirs, mine] = ['strange horse battery', PASSWORD];
    for (let n = 0; n < 5; n++) expect((await client.post('register', { email, password: theirs })).status).toBe(202);
    expectProblem(await client.post('register', { email, password: mine }), 429, 'RATE_LIMIT_EXCEEDED');
    const { token } = await mails.next(email, 'verification');
    expect((await client.post('verify-email', { token })).body).toMatchObject({ passwordNeeded: true });
    for (const password of [theirs, mine])
      expectProblem(await login(somewhere(), email, password), 401, 'UNAUTHENTICATED');
    const reset = await mails.next(email, 'password-reset');
    await client.post('reset', { token: reset.token, password: mine });
    await client.logIn(email, mine, { 'x-forwarded-for': somewhere() });
  });
});
