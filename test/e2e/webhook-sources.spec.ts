import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { call, expectProblem } from '../support/http-answer.js';
import { startServer, type TestServer } from '../support/server.js';
import { expectNoSecrets, serverUnderTest } from '../support/server-under-test.js';
import { SECRET_VARIABLES, SECRETS, stripeSignature } from '../support/signing.js';
import { waitFor } from '../support/wait-for.js';
import { bytesOf, newEventId, stripeEvent, unixNow, WebhookSender } from '../support/webhook-sender.js';

/** Trace: a secret must not come out at any level. */
const holdfast = serverUnderTest({ env: { LOG_LEVEL: 'trace' } });
let replica: TestServer;

beforeAll(async () => {
  replica = await startServer({ env: { DATABASE_URL: holdfast.database.url, ...SECRET_VARIABLES } });
});
afterAll(() => replica?.stop());

const SOURCES = '/api/webhook-sources';
const newName = () => `source-${randomBytes(4).toString('hex')}`;
const newSecret = () => `whsec_${randomBytes(24).toString('hex')}`;

async function createSource(fields: object = {}) {
  const source = { name: newName(), provider: 'stripe', secret: newSecret(), ...fields };
  const { status, body } = await holdfast.call('POST', SOURCES, source);
  expect({ status, body }).toMatchObject({ status: 201 });
  return { ...source, body };
}

/** What a source answers to a new event signed with that secret. */
async function statusWith(name: string, secret: string, server = holdfast.server): Promise<number> {
  const sender = new WebhookSender(server.url);
  return (await sender.stripe(stripeEvent(), { path: `/webhooks/${name}`, secret })).status;
}

describe('The sources API', () => {
  it('opens a source with the documented defaults, shows it, lists it', async () => {
    const { name, body } = await createSource();
    expect(body).toEqual({
      name,
      provider: 'stripe',
      url: expect.stringMatching(new RegExp(`^http://.*/webhooks/${name}$`)),
      toleranceSeconds: 300,
      allowedIps: [],
      rateLimitPerMinute: null,
      processing: 'async',
      ordering: 'none',
      maxRetries: null,
      bodyLimitBytes: null,
      scheme: null,
      typeHeader: null,
      typePath: null,
      origin: 'api',
      secrets: [{ id: expect.any(String), origin: 'api', createdAt: expect.any(String), expiresAt: null }],
      createdAt: expect.any(String),
      updatedAt: expect.any(String),
    });
    expect((await holdfast.call('GET', `${SOURCES}/${name}`)).body).toEqual(body);
    const { body: list } = await holdfast.call('GET', SOURCES);
    expect(list['data']).toContainEqual(body);
    expect(list['nextCursor']).toBeNull();
  });

  it('has a source for every secret in the environment, Gorgias with its limit of 30', async () => {
    const { body } = await holdfast.call('GET', SOURCES);
    const sources = (body['data'] as { name: string; origin: string; rateLimitPerMinute: number | null }[]).filter(
      ({ origin }) => origin === 'environment',
    );
    expect(sources.map(({ name }) => name).toSorted()).toEqual(Object.keys(SECRETS).toSorted());
    expect(sources.find(({ name }) => name === 'gorgias')?.rateLimitPerMinute).toBe(30);
    expect(sources.find(({ name }) => name === 'stripe')?.rateLimitPerMinute).toBeNull();
  });

  it('takes in what a new source is sent from the very next request on', async () => {
    const { name, secret } = await createSource();
    expect(await statusWith(name, secret)).toBe(200);
  });

  it('keeps every setting and changes only those that are sent', async () => {
    const settings = {
      toleranceSeconds: 60,
      allowedIps: ['127.0.0.1', '2001:db8::/32'],
      rateLimitPerMinute: 7,
      processing: 'inline',
      ordering: 'entity',
      maxRetries: 9,
      bodyLimitBytes: 4096,
    };
    const { name, body } = await createSource(settings);
    expect(body).toMatchObject(settings);
    const changed = await holdfast.call('PATCH', `${SOURCES}/${name}`, { maxRetries: null, allowedIps: [] });
    expect(changed).toMatchObject({ status: 200, body: { ...settings, maxRetries: null, allowedIps: [] } });
    expectProblem(await holdfast.call('PATCH', `${SOURCES}/${name}`, {}), 400, 'VALIDATION_FAILED');
    expect((await holdfast.call('GET', `${SOURCES}/${name}`)).body).toMatchObject({ toleranceSeconds: 60 });
  });

  it('closes a source and keeps its events', async () => {
    const { name, secret } = await createSource();
    const event = stripeEvent();
    const sender = new WebhookSender(holdfast.server.url);
    expect((await sender.stripe(event, { path: `/webhooks/${name}`, secret })).status).toBe(200);
    expect(await holdfast.call('DELETE', `${SOURCES}/${name}`)).toMatchObject({ status: 204, text: '' });
    expect(await statusWith(name, secret)).toBe(404);
    expectProblem(await holdfast.call('GET', `${SOURCES}/${name}`), 404, 'NOT_FOUND');
    expect((await holdfast.call('GET', `/api/webhook-events/by-event-id/${name}/${event.id}`)).status).toBe(200);
    const secrets = await holdfast.sql('SELECT 1 FROM webhook_source_secrets WHERE source = $1', [name]);
    expect(secrets).toEqual([]);
  });

  it('refuses a name that is taken', async () => {
    const { name } = await createSource();
    const again = await holdfast.call('POST', SOURCES, { name, provider: 'github', secret: newSecret() });
    expectProblem(again, 409, 'WEBHOOK_SOURCE_EXISTS');
  });

  it('knows no source that is not there', async () => {
    const path = `${SOURCES}/${newName()}`;
    expectProblem(await holdfast.call('GET', path), 404, 'NOT_FOUND');
    expectProblem(await holdfast.call('PATCH', path, { maxRetries: 1 }), 404, 'NOT_FOUND');
    expectProblem(await holdfast.call('DELETE', path), 404, 'NOT_FOUND');
    expectProblem(await holdfast.call('POST', `${path}/secrets`, { secret: newSecret() }), 404, 'NOT_FOUND');
  });

  it.each<[string, object]>([
    ['name', { name: 'Capital' }],
    ['name', { name: '' }],
    ['name', { name: '-first' }],
    ['name', { name: 'a/b' }],
    ['name', { name: 'x'.repeat(64) }],
    ['name', { name: 7 }],
    ['name', { name: undefined }],
    ['provider', { provider: 'paypal' }],
    ['provider', { provider: undefined }],
    ['secret', { secret: undefined }],
    ['secret', { secret: 'short' }],
    ['secret', { secret: 'x'.repeat(513) }],
    ['secret', { secret: `${newSecret()}\n` }],
    ['secret', { provider: 'standard', secret: 'not-whsec-at-all' }],
    ['secret', { provider: 'standard', secret: `whsk_${Buffer.alloc(32).toString('base64')}` }],
    ['toleranceSeconds', { toleranceSeconds: 0 }],
    ['toleranceSeconds', { toleranceSeconds: 86_401 }],
    ['toleranceSeconds', { toleranceSeconds: 1.5 }],
    ['toleranceSeconds', { toleranceSeconds: '300' }],
    ['allowedIps', { allowedIps: ['192.0.2.0/33'] }],
    ['allowedIps', { allowedIps: ['localhost'] }],
    ['allowedIps', { allowedIps: '192.0.2.1' }],
    ['allowedIps', { allowedIps: [null] }],
    ['rateLimitPerMinute', { rateLimitPerMinute: -1 }],
    ['processing', { processing: 'later' }],
    ['ordering', { ordering: 'strict' }],
    ['maxRetries', { maxRetries: 101 }],
    ['bodyLimitBytes', { bodyLimitBytes: 1023 }],
    ['bodyLimitBytes', { bodyLimitBytes: 64 * 1024 * 1024 + 1 }],
    ['scheme', { scheme: { prefix: 'x' } }],
    ['scheme.template', { provider: 'hmac', scheme: { template: 'no body' } }],
    ['scheme.template', { provider: 'hmac', scheme: { template: '{id}.{body}' } }],
    ['scheme.algorithm', { provider: 'hmac', scheme: { algorithm: 'md5' } }],
    ['scheme.encoding', { provider: 'hmac', scheme: { encoding: 'utf8' } }],
    ['scheme.signatureHeader', { provider: 'hmac', scheme: { signatureHeader: 'X Y' } }],
    ['scheme.idPath', { provider: 'hmac', scheme: { idPath: 'a..b' } }],
    ['scheme.unknown', { provider: 'hmac', scheme: { unknown: 1 } }],
    ['typePath', { provider: 'gorgias', typePath: 'a..b' }],
    ['typeHeader', { provider: 'gorgias', typeHeader: 'X Y' }],
    ['typePath', { typePath: 'type' }],
    ['typeHeader', { provider: 'github', typeHeader: 'X-Event' }],
    ['typePath', { provider: 'hmac', typePath: 'type' }],
    ['surprise', { surprise: true }],
  ])('refuses a bad %s by name: %j', async (path, change) => {
    const answer = await holdfast.call('POST', SOURCES, {
      name: newName(),
      provider: 'stripe',
      secret: newSecret(),
      ...change,
    });
    expectProblem(answer, 400, 'VALIDATION_FAILED');
    const { errors } = answer.body['details'] as { errors: { path: string; message: string }[] };
    expect(errors.map((error) => error.path)).toContain(path);
  });

  it('refuses half of a surrogate pair, which jsonb cannot hold', async () => {
    const scheme = { template: '\ud800{body}' };
    const source = { name: newName(), provider: 'hmac', secret: newSecret(), scheme };
    expectProblem(await holdfast.call('POST', SOURCES, source), 400, 'VALIDATION_FAILED');
  });

  it('names all mistakes of a body at once', async () => {
    const answer = await holdfast.call('POST', SOURCES, { name: 'X', provider: 'y', toleranceSeconds: 0 });
    const { errors } = answer.body['details'] as { errors: { path: string }[] };
    expect(errors.map(({ path }) => path).toSorted()).toEqual(['name', 'provider', 'secret', 'toleranceSeconds']);
  });

  it.each([
    { toleranceSeconds: null },
    { allowedIps: null },
    { processing: null },
    { ordering: null },
    { name: 'renamed' },
    { provider: 'github' },
    { secret: 'whsec_another_one' },
    { typePath: 'data.kind' },
  ])('refuses the change %j', async (change) => {
    const { name } = await createSource();
    expectProblem(await holdfast.call('PATCH', `${SOURCES}/${name}`, change), 400, 'VALIDATION_FAILED');
  });

  it.each([{ scheme: null }, { scheme: [] }, { scheme: 'sha256' }, { scheme: { idHeader: null } }])(
    'refuses the change %j of an HMAC source, which goes on as before',
    async (change) => {
      const { name, secret } = await createSource({ provider: 'hmac' });
      expectProblem(await holdfast.call('PATCH', `${SOURCES}/${name}`, change), 400, 'VALIDATION_FAILED');
      const event = { id: newEventId(), type: 'x' };
      expect((await holdfast.sender.send('hmac', event, { path: `/webhooks/${name}`, secret })).status).toBe(200);
    },
  );

  it('leaves an audit line for each change, with who did it and no secret', async () => {
    const { name, secret } = await createSource();
    await holdfast.call('PATCH', `${SOURCES}/${name}`, { maxRetries: 1 });
    const next = newSecret();
    await holdfast.call('POST', `${SOURCES}/${name}/secrets`, { secret: next });
    await holdfast.call('DELETE', `${SOURCES}/${name}`);
    const { body, text } = await holdfast.call('GET', `/api/audit?subject=webhook-source:${name}`);
    const lines = body['data'] as { action: string; actor: string; requestId: string; ip: string }[];
    expect(lines.map(({ action }) => action)).toEqual([
      'webhook_source.deleted',
      'webhook_source.rotated',
      'webhook_source.changed',
      'webhook_source.created',
    ]);
    for (const line of lines) {
      expect(line).toMatchObject({ actor: expect.stringMatching(/^api-key:/), ip: '127.0.0.1' });
      expect(line.requestId).toMatch(/\S/);
    }
    expectNoSecrets(text, [secret, next]);
  });
});

describe('Rotating a secret', () => {
  const rotate = async (name: string, overlapSeconds?: number) => {
    const secret = newSecret();
    const answer = await holdfast.call('POST', `${SOURCES}/${name}/secrets`, { secret, overlapSeconds });
    expect(answer.status).toBe(201);
    return { secret, secrets: answer.body['secrets'] as { id: string; expiresAt: string | null }[] };
  };

  /** The secret that is recorded with an event signed with this one. */
  async function recorded(name: string, secret: string): Promise<unknown> {
    const answer = await holdfast.sender.stripe(stripeEvent(), { path: `/webhooks/${name}`, secret });
    return (await holdfast.call('GET', `/api/webhook-events/${String(answer.body['id'])}`)).body['secretId'];
  }

  it('accepts the old one during the overlap, refuses it afterwards, and records which one matched', async () => {
    const { name, secret: old, body } = await createSource();
    const [{ id: oldId } = { id: '' }] = body['secrets'] as { id: string }[];
    const { secret: next, secrets } = await rotate(name, 3);
    expect(secrets).toMatchObject([{ expiresAt: null }, { id: oldId, expiresAt: expect.any(String) }]);
    expect(await recorded(name, old)).toBe(oldId);
    expect(await recorded(name, next)).toBe(secrets[0]?.id);

    const end = Date.parse(String(secrets[1]?.expiresAt));
    // The database reads the same clock; its reading is a few milliseconds old here.
    await waitFor(() => Date.now() > end + 50, { interval: 5, what: 'the end of the overlap' });
    expect(await statusWith(name, old)).toBe(401);
    expect(await statusWith(name, next)).toBe(200);
    const { body: after } = await holdfast.call('GET', `${SOURCES}/${name}`);
    expect(after['secrets']).toMatchObject([{ id: secrets[0]?.id }]);
  });

  it('overlaps for a day unless told', async () => {
    const { name } = await createSource();
    const { secrets } = await rotate(name);
    const left = Date.parse(String(secrets[1]?.expiresAt)) - Date.now();
    expect(Math.abs(left - 86_400_000)).toBeLessThan(60_000);
  });

  it('ends the old one at once with an overlap of 0', async () => {
    const { name, secret: old } = await createSource();
    const { secret: next, secrets } = await rotate(name, 0);
    expect(secrets).toHaveLength(1);
    expect([await statusWith(name, old), await statusWith(name, next)]).toEqual([401, 200]);
  });

  it('never lengthens the life of a secret that is on its way out', async () => {
    const { name } = await createSource();
    const { secrets: before } = await rotate(name, 60);
    const { secrets: after } = await rotate(name, 3600);
    expect(after[2]).toEqual(before[1]);
    expect(Date.parse(String(after[1]?.expiresAt))).toBeGreaterThan(Date.parse(String(after[2]?.expiresAt)));
  });

  it('lets a sender sign with both during the change, as Stripe does', async () => {
    const { name, secret: old } = await createSource();
    const { secret: next } = await rotate(name, 0);
    const body = bytesOf(stripeEvent());
    const t = unixNow();
    const signatures = [old, next].map((secret) => `v1=${stripeSignature(body, secret, t)}`).join(',');
    const headers = { 'Stripe-Signature': `t=${t},${signatures}` };
    expect((await holdfast.sender.post(`/webhooks/${name}`, body, headers)).status).toBe(200);
  });

  it.each([{ overlapSeconds: -1 }, { overlapSeconds: 30 * 86_400 + 1 }, { overlapSeconds: '60' }, { secret: 'short' }])(
    'refuses %j',
    async (change) => {
      const { name, secret } = await createSource();
      const answer = await holdfast.call('POST', `${SOURCES}/${name}/secrets`, { secret: newSecret(), ...change });
      expectProblem(answer, 400, 'VALIDATION_FAILED');
      expect(await statusWith(name, secret)).toBe(200);
    },
  );
});

describe('A source made on one replica', () => {
  it('takes webhooks on the other at once', async () => {
    for (let number = 0; number < 5; number++) {
      const { name, secret } = await createSource();
      expect(await statusWith(name, secret, replica)).toBe(200);
    }
  });
});

describe('A change made on one replica', () => {
  /** How long until the other replica answers so, in milliseconds. */
  async function until(status: number, name: string, secret: string): Promise<number> {
    const start = performance.now();
    await waitFor(async () => (await statusWith(name, secret, replica)) === status, { interval: 10 });
    return performance.now() - start;
  }

  it('is in force on the other within a second: a new source, a rotation, an end', async () => {
    const { name, secret } = await createSource();
    expect(await until(200, name, secret)).toBeLessThan(1000);
    const next = newSecret();
    await holdfast.call('POST', `${SOURCES}/${name}/secrets`, { secret: next, overlapSeconds: 0 });
    expect(await until(401, name, secret)).toBeLessThan(1000);
    expect(await statusWith(name, next, replica)).toBe(200);
    await holdfast.call('DELETE', `${SOURCES}/${name}`);
    expect(await until(404, name, next)).toBeLessThan(1000);
  });

  it('works the other way round, and for settings', async () => {
    const { name, secret } = await createSource();
    await until(200, name, secret);
    const patch = { allowedIps: ['192.0.2.1'] };
    expect((await call(replica, 'PATCH', `${SOURCES}/${name}`, patch)).status).toBe(200);
    await waitFor(async () => (await statusWith(name, secret)) === 403, { timeout: 1000 });
  });
});

describe('A signing secret', () => {
  const SECRET = newSecret();
  const NEXT = newSecret();
  const name = newName();

  beforeAll(async () => {
    await createSource({ name, secret: SECRET });
    await holdfast.call('POST', `${SOURCES}/${name}/secrets`, { secret: NEXT });
    await statusWith(name, SECRET);
    await statusWith(name, 'whsec_wrong_on_purpose');
    // Refused bodies that hold one, which must not be echoed either.
    await holdfast.call('POST', SOURCES, { name, provider: 'stripe', secret: SECRET });
    await holdfast.call('POST', SOURCES, { name: 'X', provider: 'standard', secret: SECRET, [SECRET]: SECRET });
    await holdfast.call('POST', SOURCES, `{"secret":"${SECRET}"`);
  });

  it('is in no answer of the API', async () => {
    const paths = [
      SOURCES,
      `${SOURCES}/${name}`,
      '/api/webhook-events?limit=200',
      '/api/audit?limit=200',
      '/api/api-keys',
    ];
    for (const path of paths) expectNoSecrets((await holdfast.call('GET', path)).text, [SECRET, NEXT]);
    const conflict = await holdfast.call('POST', SOURCES, { name, provider: 'stripe', secret: SECRET });
    const change = await holdfast.call('PATCH', `${SOURCES}/${name}`, { maxRetries: 2 });
    expectNoSecrets(conflict.text + change.text, [SECRET, NEXT]);
  });

  it('is not in the database in any readable form', async () => {
    const tables = await holdfast.sql<{ name: string }>(
      `SELECT table_name AS name FROM information_schema.tables WHERE table_schema = 'public'`,
    );
    expect(tables.length).toBeGreaterThan(5);
    const forms = [...Object.values(SECRETS), SECRET, NEXT].flatMap((secret) => {
      const bytes = Buffer.from(secret);
      return [secret, bytes.toString('hex'), bytes.toString('base64').replace(/=+$/, ''), bytes.toString('base64url')];
    });
    for (const table of tables) {
      const rows = await holdfast.sql<{ row: string }>(`SELECT t::text AS row FROM "${table.name}" AS t`);
      for (const { row } of rows) expect(forms.filter((form) => row.includes(form))).toEqual([]);
    }
  });

  it('is not in the database by the signatures made with it either: they are redacted', async () => {
    const event = stripeEvent();
    const headers = { Authorization: 'Bearer of-the-sender', 'X-Api-Key': 'sender-key', Cookie: 'session=1' };
    const answer = await holdfast.sender.stripe(event, { headers: { ...headers, 'X-Harmless': 'shown' } });
    const { body } = await holdfast.call('GET', `/api/webhook-events/${String(answer.body['id'])}`);
    expect(body['headers']).toMatchObject({
      'stripe-signature': '[redacted]',
      authorization: '[redacted]',
      'x-api-key': '[redacted]',
      cookie: '[redacted]',
      'x-harmless': 'shown',
    });
  });

  it('is in no line of the log, at any level', async () => {
    const { headers } = await holdfast.call('GET', SOURCES);
    await holdfast.logged({ requestId: headers.get('x-request-id'), path: SOURCES });
    expectNoSecrets(holdfast.server.output(), [SECRET, NEXT, holdfast.server.adminKey]);
    expectNoSecrets(replica.output(), [SECRET, NEXT, replica.adminKey]);
    expect(holdfast.server.logs().length).toBeGreaterThan(20);
  });
});

describe('A secret from the environment', () => {
  const servers: TestServer[] = [];
  afterAll(() => Promise.all(servers.map((server) => server.kill('SIGKILL'))));

  it('is replaced at the next start by a new value, which ends the old one', async () => {
    const start = async (secret: string) => {
      const env = { DATABASE_URL: holdfast.database.url, SHOPIFY_WEBHOOK_SECRET: secret };
      const server = await startServer({ env });
      servers.push(server);
      return server;
    };
    const send = (server: TestServer, secret: string) =>
      new WebhookSender(server.url).send('shopify', { id: 1 }, { secret, type: 'orders/create' });

    const [first, second] = [newSecret(), newSecret()];
    const one = await start(first);
    expect((await send(one, first)).status).toBe(200);
    await one.stop();
    const two = await start(second);
    expect((await send(two, second)).status).toBe(200);
    expectProblem(await send(two, first), 401, 'WEBHOOK_SIGNATURE_INVALID');
    await two.stop();
    expectNoSecrets(one.output() + two.output(), [first, second]);
  });
});
