import { describe, expect, it } from '@jest/globals';
import { type Answer, answerOf, expectProblem } from '../support/http-answer.js';
import { Scrape } from '../support/metrics.js';
import { serverUnderTest } from '../support/server-under-test.js';

const holdfast = serverUnderTest({
  entry: 'test/support/email-limited-server.ts',
  env: { EMAIL_PASSWORD_RESET_RATE_LIMIT: '2' },
});

const pathOf = (email: string, kind = 'verification') => `/api/email-limits/${kind}/${encodeURIComponent(email)}`;
const show = (email: string, kind?: string) => holdfast.call('GET', pathOf(email, kind));
const override = (email: string, body: unknown) => holdfast.call('PUT', `${pathOf(email)}/override`, body);
const restore = (email: string) => holdfast.call('DELETE', `${pathOf(email)}/override`);

async function ask(email: string, kind = 'verification'): Promise<Answer> {
  const path = `/test/mail/${kind}/${encodeURIComponent(email)}`;
  return answerOf(await fetch(holdfast.server.url + path, { method: 'POST' }));
}

describe('GET /api/email-limits/:kind/:email', () => {
  it('shows nothing used for an address nobody has asked with', async () => {
    const { status, body } = await show('Fresh@B\u00fccher.example');
    expect(status).toBe(200);
    expect(body).toEqual({
      kind: 'verification',
      email: 'fresh@xn--bcher-kva.example',
      count: 0,
      limit: 5,
      remaining: 5,
      resetAt: null,
      attempts: [],
      override: null,
    });
    expect((await show('fresh@example.com', 'password-reset')).body).toMatchObject({ limit: 2, remaining: 2 });
  });

  it('shows what was asked for, in any spelling of the address', async () => {
    await ask('seen@example.com');
    await ask('SEEN@EXAMPLE.COM');
    const { body } = await show('Seen@example.com');
    expect(body).toMatchObject({ email: 'seen@example.com', count: 2, remaining: 3 });
    const attempts = body['attempts'] as string[];
    expect(attempts).toEqual(attempts.toSorted());
    expect(Date.parse(String(body['resetAt'])) - Date.parse(attempts[0] ?? '')).toBe(3_600_001);
  });

  it('answers 400 for what is no address and for a kind that is none', async () => {
    for (const path of [pathOf('anna'), pathOf('anna@localhost'), pathOf('a@b.com\r\nBcc: c@d.com')]) {
      const answer = await holdfast.call('GET', path);
      expectProblem(answer, 400, 'VALIDATION_FAILED');
      expect(answer.body['details']).toEqual({
        errors: [{ path: 'email', message: 'email must be an e-mail address' }],
      });
    }
    expectProblem(await show('anna@example.com', 'newsletter'), 400, 'VALIDATION_FAILED');
  });

  it('takes the longest address there is', async () => {
    const email = `${'ä'.repeat(32)}@${`${'b'.repeat(60)}.`.repeat(3)}example`;
    expect(Buffer.byteLength(email)).toBe(255);
    expectProblem(await show(email), 400, 'VALIDATION_FAILED');
    expect((await show(email.slice(0, -1))).status).toBe(200);
  });

  it('is for administrators', async () => {
    const key = await holdfast.keyWith('webhooks:read', 'audit:read', 'wallet:write');
    const path = pathOf('anna@example.com');
    for (const [method, at, body] of [
      ['GET', path, undefined],
      ['PUT', `${path}/override`, { limit: 9 }],
      ['DELETE', `${path}/override`, undefined],
    ] as const) {
      expectProblem(await holdfast.call(method, at, body, key), 403, 'FORBIDDEN');
      expectProblem(await holdfast.call(method, at, body, 'hf_test_nobody'), 401, 'UNAUTHENTICATED');
    }
    expect((await show('anna@example.com')).body['override']).toBeNull();
  });
});

describe('A limited address', () => {
  it('is refused beyond its limit, and told only then how often it was asked for', async () => {
    const email = 'busy@example.com';
    const [first, second, third] = [
      await ask(email, 'password-reset'),
      await ask(email, 'password-reset'),
      await ask(email, 'password-reset'),
    ];
    expect([first.status, second.status, third.status]).toEqual([202, 202, 429]);
    // Whoever may still ask must not learn whether others did: that would tell who has just registered.
    for (const { headers } of [first, second]) expect(headers.get('x-ratelimit-limit')).toBeNull();
    expect(third.headers.get('x-ratelimit-limit')).toBe('2');
    expect(third.headers.get('x-ratelimit-remaining')).toBe('0');
    expect(third.headers.get('ratelimit-policy')).toBe('"email-password-reset";q=2;w=3600');
    expect(third.headers.get('ratelimit')).toMatch(/^"email-password-reset";r=0;t=3(?:600|5\d\d)$/);
    expectProblem(third, 429, 'RATE_LIMIT_EXCEEDED');
    expect(third.body['detail']).toBe('Too many password reset emails. Please wait before requesting another.');
    const { retryAfter, resetAt } = third.body['details'] as { retryAfter: number; resetAt: string };
    expect(third.headers.get('retry-after')).toBe(String(retryAfter));
    expect(third.headers.get('x-ratelimit-reset')).toBe(resetAt);
    const { body } = await show(email, 'password-reset');
    expect(body).toMatchObject({ count: 2, remaining: 0, resetAt });
    expect(Date.now() + retryAfter * 1000).toBeGreaterThan(Date.parse(resetAt) - 1000);
    const scrape = await Scrape.of(holdfast.server);
    const labels = { kind: 'password-reset', outcome: 'refused' };
    expect(scrape.value('holdfast_email_limit_decisions_total', labels)).toBeGreaterThan(0);
  });

  it('is never refused where there is no limit', async () => {
    await override('free@example.com', { limit: 0 });
    const { status, headers } = await ask('free@example.com');
    expect(status).toBe(202);
    expect(headers.get('x-ratelimit-limit')).toBeNull();
    expect((await show('free@example.com')).body).toMatchObject({ count: 0, limit: 0, remaining: null });
  });
});

describe('PUT and DELETE /api/email-limits/:kind/:email/override', () => {
  it('raise the limit at once, and take it back', async () => {
    const email = 'raised@example.com';
    for (let each = 0; each < 5; each++) await ask(email);
    expect((await ask(email)).status).toBe(429);
    const { status, body } = await override(email, { limit: 6, until: '2099-12-31T23:59:59Z' });
    expect(status).toBe(200);
    expect(body).toEqual({
      limit: 6,
      until: '2099-12-31T23:59:59.000Z',
      setBy: expect.stringMatching(/^api-key:/),
      setAt: expect.any(String),
    });
    expect((await ask(email)).status).toBe(202);
    expect((await show(email)).body).toMatchObject({ count: 6, limit: 6, override: body });
    expect((await restore(email)).status).toBe(204);
    expectProblem(await restore(email), 404, 'NOT_FOUND');
    expect((await ask(email)).status).toBe(429);
  });

  it.each([
    [{ limit: -1 }],
    [{ limit: 1001 }],
    [{ limit: 1.5 }],
    [{ limit: '5' }],
    [{ limit: null }],
    [{}],
    [{ limit: 5, until: 'tomorrow' }],
    [{ limit: 5, until: '2020-01-01T00:00:00Z' }],
    [{ limit: 5, rule: 'perMinute' }],
  ])('answers 400 for %j', async (body) => {
    expectProblem(await override('wrong@example.com', body), 400, 'VALIDATION_FAILED');
    expect((await show('wrong@example.com')).body['override']).toBeNull();
  });

  it('write audit lines that tell addresses apart without naming them', async () => {
    const email = 'private.person@example.com';
    await override(email, { limit: 7 });
    await override('other.person@example.com', { limit: 7 });
    await restore(email);
    const lines = await holdfast.sql<{ action: string; subject: string; details: object; text: string }>(
      `SELECT action, subject, details, audit_log::text AS text
      FROM audit_log
      WHERE action LIKE 'email_limit.%'
      ORDER BY at DESC
      LIMIT 3`,
    );
    expect(lines).toMatchObject([
      { action: 'email_limit.restored', details: { kind: 'verification' } },
      { action: 'email_limit.overridden', details: { kind: 'verification', limit: 7, until: null } },
      { action: 'email_limit.overridden', details: { kind: 'verification', limit: 7, until: null } },
    ]);
    expect(lines[0]?.subject).toMatch(/^email:[0-9a-f]{16}$/);
    expect(lines[2]?.subject).toBe(lines[0]?.subject);
    expect(lines[1]?.subject).not.toBe(lines[0]?.subject);
    expect(lines.map(({ text }) => text).join('\n')).not.toMatch(/person/);
  });
});

describe('The log', () => {
  it('has no address of a path, in whatever way it is written', async () => {
    const { server } = holdfast;
    const spellings = [
      'logged@example.com',
      'logged%40example.com',
      'logged%2540example.com',
      'logged%EF%BC%A0example.com',
    ];
    for (const email of spellings) {
      await holdfast.call('GET', `/api/email-limits/verification/${email}`);
      await holdfast.call('DELETE', `/api/email-limits/verification/${email}/override`);
      await holdfast.call('GET', `/api/email-limits/nowhere/at/all/${email}`);
      expect((await holdfast.call('GET', `/test/broken/${email}`)).status).toBe(500);
    }
    await holdfast.logged({ path: '/api/email-limits/verification/[redacted]', status: 200 });
    await holdfast.logged({ path: '/api/email-limits/verification/[redacted]/override', status: 404 });
    await holdfast.logged({ path: '/api/email-limits/nowhere/at/all/[redacted]', status: 404 });
    await holdfast.logged({ msg: 'GET /test/broken/[redacted] failed' });
    await holdfast.logged({ path: '/test/broken/[redacted]', status: 500 });
    // Lines come in order: those of every request above are there with the one of this.
    await server.fetch('/api/email-limits/the/end');
    await holdfast.logged({ path: '/api/email-limits/the/end' });
    expect(server.output()).not.toContain('logged%');
    expect(server.output()).not.toContain('logged@');
  });
});
