import { type JWTPayload, SignJWT, UnsecuredJWT } from 'jose';
import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, answerOf, expectProblem } from '../support/http-answer.js';
import { DocumentedAnswers } from '../support/documented-answers.js';
import { documentedOperations, type Operation, placesOf, sampleOf, withAt } from '../support/openapi.js';
import type { OpenApiDocument } from '../support/openapi-document.js';
import { rawRequest, speak } from '../support/raw-http.js';
import { JWT_SECRET } from '../support/server.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { userToken } from '../support/user-token.js';
import { stripeEvent } from '../support/webhook-sender.js';
import { WalletClient } from '../support/wallet-client.js';

/** Every route of the OpenAPI document, tried the way the OWASP lists would; a new route is tried without a word here. */
const holdfast = serverUnderTest();

const UNKNOWN = '01890000-0000-7000-8000-000000000000';
/** What a database, a driver or Node would let slip. */
const LEAK =
  /syntax error|QueryFailed|SQLSTATE|\brelation "|\bcolumn "|pg_catalog|invalid input|node_modules|\bat \S+\.[jt]s/i;
/** Longer than any honest answer, shorter than the sleep of an injection that worked. */
const TOO_LONG_MS = 10_000;

const INJECTIONS = [
  `' OR '1'='1`,
  `'; DROP TABLE api_keys; --`,
  `' UNION SELECT id, key_hash::text, name FROM api_keys --`,
  `'||(SELECT pg_sleep(20))||'`,
  `1) OR (1=1`,
  `{"$ne":null}`,
  `{"$where":"sleep(20000)"}`,
  `%' OR name LIKE '%`,
  `../../etc/passwd`,
  '${7*7}{{7*7}}',
];
/** In place of a text: what a document database would take for an operator. */
const OPERATORS: unknown[] = [{ $ne: null }, { $gt: '' }, [{ $regex: '.*' }]];

let operations: Operation[];
let documented: DocumentedAnswers;
/** Those that ask for a credential. */
let guarded: Operation[];
let alice: string;
let bob: string;
/** Of things that are not Alice's. */
let ids: string[];

beforeAll(async () => {
  operations = await documentedOperations(holdfast.server);
  const document = (await (await holdfast.server.fetch('/openapi.json')).json()) as OpenApiDocument;
  documented = new DocumentedAnswers(document);
  const isGuarded = async (operation: Operation) => {
    const anonymous = await answerOf(await fetch(holdfast.server.url + urlOf(operation), { method: operation.method }));
    return anonymous.body['code'] === 'UNAUTHENTICATED';
  };
  const closed = await Promise.all(operations.map(isGuarded));
  guarded = operations.filter((_, index) => closed[index]);
  // All but health and webhooks, and what one needs before one has a credential.
  expect(guarded.length).toBeGreaterThan(operations.length / 2);
  const wallet = new WalletClient(holdfast.server);
  [alice = '', bob = ''] = await wallet.newUsers(2, 1000);
  const credit = await wallet.post('transactions', { userId: bob, type: 'CREDIT', amount: 1, currency: 'USD' });
  const hold = await wallet.post('holds', { userId: bob, amount: 1, currency: 'USD' });
  const event = await holdfast.sender.stripe(stripeEvent());
  const key = await holdfast.call('POST', '/api/api-keys', { name: 'somebody', scopes: ['webhooks:read'] });
  ids = [...[credit, hold, event, key].map(({ body }) => String(body['id'])), await newUser()];
});

/** Somebody with an account. @returns the user's id */
async function newUser(): Promise<string> {
  const email = 'carol@example.com';
  const [user] = await holdfast.sql<{ id: string }>(
    'INSERT INTO users (id, email) VALUES (gen_random_uuid(), $1) RETURNING id',
    [email],
  );
  return user?.id ?? '';
}

/** Webhooks take bytes, and their senders sign them. */
const takesBytes = ({ path }: Operation) => path.startsWith('/webhooks/') || path.endsWith('/webhook');
const withBody = () => operations.filter(({ body }) => body !== undefined);

function urlOf(
  { path, query }: Operation,
  parameters: Record<string, string> = {},
  more: [string, string][] = [],
): string {
  const required = query.filter(({ name, required: is }) => is && !more.some(([given]) => given === name));
  const search = new URLSearchParams([
    ...required.map(({ name, schema }): [string, string] => [
      name,
      name === 'userId' ? bob : String(sampleOf(schema, name)),
    ]),
    ...more,
  ]);
  const filled = path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(parameters[name] ?? UNKNOWN));
  return search.size > 0 ? `${filled}?${search.toString()}` : filled;
}

/** Whatever is answered has to be documented. */
async function send(method: string, url: string, body?: unknown, token = holdfast.server.adminKey): Promise<Answer> {
  const headers = {
    authorization: `Bearer ${token}`,
    ...(method !== 'GET' && method !== 'HEAD' && { 'idempotency-key': randomUUID() }),
    ...(body !== undefined && { 'content-type': 'application/json' }),
  };
  const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
  const answer = await answerOf(await holdfast.server.fetch(url, init));
  expect(documented.mistakesIn(method, url, answer)).toEqual([]);
  return answer;
}

const bodyOf = ({ body }: Operation) => (body ? sampleOf(body) : undefined);
const rowsOf = ({ body }: Answer) => (Array.isArray(body['data']) ? body['data'].length : 0);

/** @param what was tried, for whoever reads the failure */
async function expectHarmless(what: object, answering: Promise<Answer>): Promise<Answer> {
  const started = performance.now();
  const answer = await answering;
  const { status, text } = answer;
  expect({ ...what, status, text, isError: status >= 500 }).toMatchObject({ isError: false });
  // What was sent may come back in a name; what the database says may not.
  expect({ ...what, text, leak: LEAK.exec(text)?.[0] }).toMatchObject({ leak: undefined });
  expect({ ...what, slow: performance.now() - started > TOO_LONG_MS }).toMatchObject({ slow: false });
  return answer;
}

/** Rows of every table that only requests change. */
async function rowCounts(): Promise<Record<string, number>> {
  const tables = await holdfast.sql<{ name: string }>(
    `SELECT table_name AS name
     FROM information_schema.tables
     WHERE table_schema = 'public' AND table_name !~ '^(audit|idempotency|locks|lock_|rate_limit_counters)'
     ORDER BY table_name`,
  );
  const counts = tables.map(({ name }) => `SELECT '${name}' AS name, count(*)::int AS count FROM "${name}"`);
  const rows = await holdfast.sql<{ name: string; count: number }>(counts.join(' UNION ALL '));
  return Object.fromEntries(rows.map(({ name, count }) => [name, count]));
}

/** Of what was done; refused log-ins and the like have lines of their own. */
function auditLines(): Promise<object[]> {
  return holdfast.sql('SELECT action, subject, details FROM audit_log ORDER BY id');
}

/** Header fields by which a verifier that trusts too much would take the attacker's key. */
const OWN_KEY: Record<string, unknown> = {
  jwk: { kty: 'oct', k: Buffer.from('x'.repeat(32)).toString('base64url') },
  jku: 'http://127.0.0.1/',
  kid: '../../dev/null',
};

describe('Injections', () => {
  it('in a filter find no more than is there without it, and break nothing', async () => {
    for (const operation of operations) {
      const { method, route, query } = operation;
      if (query.length === 0) continue;
      const found = rowsOf(await send(method, urlOf(operation)));
      const tryOut = async (search: [string, string][]) => {
        const answer = await expectHarmless({ route, search }, send(method, urlOf(operation, {}, search)));
        expect({ route, search, more: rowsOf(answer) > found }).toMatchObject({ more: false });
        return answer;
      };
      for (const { name } of query) {
        await Promise.all([
          ...INJECTIONS.map((injection) => tryOut([[name, injection]])),
          tryOut([
            [name, 'a'],
            [name, 'b'],
          ]),
          ...[`${name}[$ne]`, `${name}[]`, `${name}.x`].map(async (operator) => {
            // That is how it is asked for: `metadata.<key>=<value>`.
            if (operator === 'metadata.x') return;
            const { status } = await tryOut([[operator, '1']]);
            expect({ route, operator, status }).toEqual({ route, operator, status: 400 });
          }),
        ]);
      }
    }
  });

  it('in a path name nothing', async () => {
    for (const operation of operations.filter((each) => !takesBytes(each))) {
      const { method, route, pathParameters } = operation;
      for (const parameter of pathParameters) {
        const tryOut = async (injection: string) => {
          const answering = send(method, urlOf(operation, { [parameter]: injection }), bodyOf(operation));
          const { status } = await expectHarmless({ route, parameter, injection }, answering);
          expect({ route, injection, found: status < 400 }).toEqual({ route, injection, found: false });
        };
        await Promise.all(INJECTIONS.map(tryOut));
      }
    }
  });

  it('in a field of a body are text at most, and operators are refused', async () => {
    for (const operation of withBody()) {
      const { method, route, body = {} } = operation;
      const sample = bodyOf(operation);
      for (const place of placesOf('string', body)) {
        const tryOut = (value: unknown) =>
          expectHarmless(
            { route, place, value },
            send(
              method,
              urlOf(operation),
              withAt(sample, place, () => value),
            ),
          );
        await Promise.all([
          ...INJECTIONS.map(tryOut),
          ...OPERATORS.map(async (operator) => {
            const { status } = await tryOut(operator);
            expect({ route, place, operator, refused: status >= 400 }).toMatchObject({ refused: true });
          }),
        ]);
      }
    }
  });

  it('have not dropped a table', async () => {
    expect((await holdfast.call('GET', '/api/api-keys')).status).toBe(200);
    expect(await holdfast.sql('SELECT FROM api_keys LIMIT 1')).toHaveLength(1);
  });
});

describe('A forged access token', () => {
  const soon = () => Math.floor(Date.now() / 1000) + 3600;
  const claims = (): JWTPayload => ({ iss: 'holdfast', aud: 'holdfast-api', sub: alice, exp: soon() });
  const sign = (payload: JWTPayload, alg = 'HS256', secret = JWT_SECRET) =>
    new SignJWT(payload).setProtectedHeader({ alg }).sign(Buffer.from(secret));
  const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');

  it.each<[string, () => Promise<string> | string]>([
    ['says that it needs no signature', () => new UnsecuredJWT(claims()).encode()],
    ['says that it needs no signature, in capitals', () => `${base64url({ alg: 'NONE' })}.${base64url(claims())}.`],
    ['is signed with another key', () => sign(claims(), 'HS256', 'x'.repeat(32))],
    ['is signed with the empty key of a header', () => sign(claims(), 'HS256', '\0'.repeat(32))],
    ['is signed by another algorithm', () => sign(claims(), 'HS512')],
    ['has expired', () => sign({ ...claims(), exp: soon() - 7200 })],
    ['is for another audience', () => sign({ ...claims(), aud: 'other-api' })],
    ['is of another issuer', () => sign({ ...claims(), iss: 'evil' })],
    ['is of an admin whom nobody signed', () => new UnsecuredJWT({ ...claims(), role: 'admin' }).encode()],
    [
      'was made an admin afterwards',
      async () => {
        const [header = '', , signature = ''] = (await sign(claims())).split('.');
        return [header, base64url({ ...claims(), role: 'admin' }), signature].join('.');
      },
    ],
    [
      'brings a key of its own',
      () => new SignJWT(claims()).setProtectedHeader({ alg: 'HS256', ...OWN_KEY }).sign(Buffer.from('x'.repeat(32))),
    ],
  ])('opens no route: %s', async (_, make) => {
    const token = await make();
    await Promise.all(
      guarded.map(async (operation) => {
        const { status, body } = await send(operation.method, urlOf(operation), bodyOf(operation), token);
        expect({ route: operation.route, status, code: body['code'] }).toEqual({
          route: operation.route,
          status: 401,
          code: 'UNAUTHENTICATED',
        });
      }),
    );
  });
});

describe("Somebody else's", () => {
  /** All that tells one request from another is left out. */
  function substance({ status, text }: Answer, id: string): string {
    const { instance: _, requestId: __, ...rest } = JSON.parse(text || '{}') as Record<string, unknown>;
    return JSON.stringify({ status, ...rest }).replaceAll(id, '<id>');
  }

  it('things are answered like those that are not there, whatever is asked of them', async () => {
    const token = await userToken(alice);
    for (const operation of operations.filter((each) => each.pathParameters.length > 0 && !takesBytes(each))) {
      const ask = (id: string) => {
        const parameters = Object.fromEntries(operation.pathParameters.map((name) => [name, id]));
        return send(operation.method, urlOf(operation, parameters), bodyOf(operation), token);
      };
      const unknown = await ask(UNKNOWN);
      expect({ route: operation.route, refused: unknown.status >= 400 }).toMatchObject({ refused: true });
      for (const id of ids) {
        expect({ route: operation.route, answer: substance(await ask(id), id) }).toEqual({
          route: operation.route,
          answer: substance(unknown, UNKNOWN),
        });
      }
    }
  });

  it('transactions and holds are 404 to a user, and there for a service', async () => {
    const token = await userToken(alice);
    const [transaction, hold] = ids;
    for (const path of [`/api/wallet/transactions/${transaction}`, `/api/wallet/holds/${hold}`]) {
      expectProblem(await send('GET', path, undefined, token), 404, 'NOT_FOUND');
      expect((await send('GET', path)).status).toBe(200);
    }
  });
});

describe('A verb that a path does not have', () => {
  it('is answered 404 or 405 and does nothing', async () => {
    const patterns = operations.map(({ method, path }) => ({
      method,
      path: new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`),
    }));
    const before = await rowCounts();
    for (const path of new Set(operations.map((each) => each.path))) {
      const url = path.replace(/\{\w+\}/g, ids[3] ?? '');
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        const known = (of: string) => patterns.some((each) => each.method === of && each.path.test(url));
        if (known(method) || (method === 'HEAD' && known('GET'))) continue;
        const { status } = await send(method, url, method === 'GET' || method === 'HEAD' ? undefined : {});
        expect({ route: `${method} ${path}`, refused: status === 404 || status === 405, status }).toMatchObject({
          refused: true,
        });
      }
    }
    expect(await rowCounts()).toEqual(before);
  });
});

describe('A body', () => {
  const takesOne = () => operations.filter(({ method }) => method === 'POST' || method === 'PUT' || method === 'PATCH');

  it('that is missing, or no object, is refused with 400 where one is needed, and nothing happens', async () => {
    const needing = operations.filter((each) => each.needsBody && !takesBytes(each));
    expect(needing.length).toBeGreaterThan(15);
    const before = await rowCounts();
    const audited = await auditLines();
    for (const operation of needing) {
      const parameters = {
        name: 'stripe',
        id: ids[3] ?? '',
        subject: 'everyone',
        kind: 'verification',
        email: 'a@b.example',
      };
      for (const body of [undefined, null, [], [{}], 'text', 5, {}]) {
        const answer = await send(operation.method, urlOf(operation, parameters), body);
        const { route } = operation;
        expect({ route, body, status: answer.status, text: answer.text }).toMatchObject({ status: 400 });
        expectProblem(answer, 400, 'VALIDATION_FAILED');
      }
    }
    expect(await rowCounts()).toEqual(before);
    expect(await auditLines()).toEqual(audited);
  });

  it('of two megabytes is refused with 413 before it is sent, wherever one is taken', async () => {
    for (const operation of takesOne()) {
      const headers: [string, string][] = [
        ['Authorization', `Bearer ${holdfast.server.adminKey}`],
        ['Content-Type', 'application/json'],
        ['Content-Length', String(2 * 1024 * 1024)],
      ];
      const answer = await speak(holdfast.server.url, rawRequest(`${operation.method} ${urlOf(operation)}`, headers));
      expect({ route: operation.route, status: answer.status }).toEqual({ route: operation.route, status: 413 });
    }
  });

  it('nested deeper than 32 levels, or 100,000, is refused with 400', async () => {
    for (const operation of takesOne().filter((each) => !takesBytes(each))) {
      for (const levels of [33, 100_000]) {
        const init = {
          method: operation.method,
          headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
          body: `{"deep":${'['.repeat(levels)}${']'.repeat(levels)}}`,
        };
        const answer = await answerOf(await holdfast.server.fetch(urlOf(operation), init));
        expect({ route: operation.route, levels, status: answer.status }).toEqual({
          route: operation.route,
          levels,
          status: 400,
        });
        expectProblem(answer, 400, 'VALIDATION_FAILED');
      }
    }
  });

  it('with a field that is not its own is refused with 400, at every depth: nobody assigns what was not asked for', async () => {
    const wanted = ['role', 'isAdmin', 'subscription', 'scopesOfAnother', 'createdBy', 'id'];
    let tried = 0;
    for (const operation of withBody()) {
      const { method, route, body = {} } = operation;
      for (const place of placesOf('object', body)) {
        const own = place.reduce<typeof body>(
          (at, step) => (typeof step === 'number' ? at.items : at.properties?.[step]) ?? {},
          body,
        );
        for (const field of wanted.filter((name) => own.properties?.[name] === undefined)) {
          const more = withAt(bodyOf(operation), place, (value) => ({ ...(value as object), [field]: 'admin' }));
          const answer = await send(method, urlOf(operation), more);
          expect({ route, place, field, status: answer.status, text: answer.text }).toMatchObject({ status: 400 });
          expect({ route, place, field, text: answer.text.includes(field) }).toMatchObject({ text: true });
          tried++;
        }
      }
    }
    expect(tried).toBeGreaterThan(50);
  });
});
