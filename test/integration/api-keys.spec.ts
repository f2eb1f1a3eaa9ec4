import { type INestApplicationContext, Logger } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { ConfigModule, loadConfig } from '../../src/config/index.js';
import { NotFoundError, ValidationError } from '../../src/kernel/app-error.js';
import { AddApiKeyMaker1795248010000 } from '../../migrations/1795248010000-AddApiKeyMaker.js';
import {
  API_KEY_ENTITIES,
  type ApiKeyLimits,
  ApiKeysModule,
  ApiKeysService,
  ApiKeyVerifier,
  BootstrapKeys,
  type KeyMaker,
  type NewApiKey,
} from '../../src/modules/api-keys/index.js';
import { AuditLog, AUDIT_ENTITIES } from '../../src/modules/audit/index.js';
import {
  ForbiddenError,
  type RequestContext,
  type Scope,
  UnauthenticatedError,
} from '../../src/platform/auth/index.js';
import { ClockModule } from '../../src/platform/clock/index.js';
import { DatabaseModule } from '../../src/platform/database/index.js';
import { EncryptionModule } from '../../src/platform/encryption/index.js';
import { IdempotencyModule } from '../../src/platform/idempotency/index.js';
import { MetricsModule } from '../../src/platform/metrics/index.js';
import { RATE_LIMIT_ENTITIES, RateLimitModule } from '../../src/platform/rate-limit/index.js';
import { RedisModule } from '../../src/platform/redis/index.js';
import { ScheduleModule } from '../../src/platform/schedule/index.js';
import { TransactionModule } from '../../src/platform/transaction/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { waitFor } from '../support/wait-for.js';

/** What a fake clock is to leave alone: connections wait for it. */
const TIMERS = [
  'hrtime',
  'nextTick',
  'performance',
  'queueMicrotask',
  'setImmediate',
  'clearImmediate',
  'setInterval',
  'clearInterval',
  'setTimeout',
  'clearTimeout',
] as const;
const ADMIN: KeyMaker = { kind: 'operator' };
const OPERATOR: RequestContext = { actor: 'cli', requestId: 'request-1', ip: '192.0.2.7' };
/** Of the generated shape, with a wrong checksum: only a look at the configuration tells that it is an operator's own. */
const BOOTSTRAP_API_KEY = `hf_live_${'b'.repeat(49)}`;

let database: TestDatabase;
let dataDir: string;
let here: INestApplicationContext;
let elsewhere: INestApplicationContext;
let service: ApiKeysService;

function startReplica(): Promise<INestApplicationContext> {
  const config = loadConfig({
    NODE_ENV: 'test',
    DATA_DIR: dataDir,
    ENCRYPTION_KEY: '0'.repeat(64),
    BOOTSTRAP_API_KEY,
  });
  class Replica {}
  return NestFactory.createApplicationContext(
    {
      module: Replica,
      imports: [
        ConfigModule.forRoot(config),
        MetricsModule,
        DatabaseModule.forRoot(database.url, {
          entities: [...API_KEY_ENTITIES, ...AUDIT_ENTITIES, ...RATE_LIMIT_ENTITIES],
          migrations: [],
        }),
        RedisModule,
        ClockModule,
        TransactionModule,
        ScheduleModule,
        EncryptionModule,
        RateLimitModule,
        IdempotencyModule,
        ApiKeysModule,
      ],
    },
    { logger: false, abortOnError: false },
  );
}

beforeAll(async () => {
  database = await createTestDatabase();
  dataDir = await mkdtemp(join(tmpdir(), 'holdfast-api-keys-'));
  [here, elsewhere] = await Promise.all([startReplica(), startReplica()]);
  service = here.get(ApiKeysService);
});

afterAll(async () => {
  await Promise.all([here?.close(), elsewhere?.close()]);
  await database?.drop();
  await rm(dataDir, { recursive: true, force: true });
});

beforeEach(() => sql('DELETE FROM api_keys'));
afterEach(() => void jest.restoreAllMocks());

function sql<Row>(query: string, parameters: unknown[] = []): Promise<Row[]> {
  return here.get(DataSource).query<Row[]>(query, parameters);
}

const verify = (credential: string, replica = here) => replica.get(ApiKeyVerifier).verify(credential);
const create = (name = 'shop') => service.create({ name, scopes: ['webhooks:read'] }, ADMIN, OPERATOR);

/** A key that may make others. */
async function makerWith(input: { scopes: Scope[]; expiresAt?: Date; limits?: ApiKeyLimits }) {
  const { key } = await service.create({ name: 'maker', ...input }, ADMIN, OPERATOR);
  return verified(key);
}

async function verified(key: string) {
  const principal = await verify(key);
  if (!principal) throw new Error('The key does not work');
  return principal;
}

/** A time as the database sees it, `ms` from now. */
async function databaseTime(ms: number): Promise<Date> {
  const [row] = await sql<{ at: Date }>(`SELECT now() + $1 * interval '1 millisecond' AS at`, [ms]);
  return row!.at;
}

const auditOf = (id: string) =>
  sql<{ actor: string; action: string; request_id: string; ip: string; details: object }>(
    `SELECT actor, action, request_id, ip, details FROM audit_log WHERE subject = 'api-key:' || $1 ORDER BY id`,
    [id],
  );

describe('creating an API key', () => {
  it('shows the key once and keeps only its hash', async () => {
    const issued = await create();
    expect(issued.key).toMatch(/^hf_test_[0-9A-Za-z]{49}$/);
    const stored = JSON.stringify([
      await sql('SELECT to_jsonb(k) FROM api_keys AS k'),
      await sql('SELECT to_jsonb(a) FROM audit_log AS a'),
      await service.find(issued.id),
    ]);
    expect(stored).toContain(issued.prefix);
    expect(stored).not.toContain(issued.key.slice(issued.prefix.length));
  });

  it('gives a key that authenticates as what it was created for', async () => {
    const { id, key } = await create('shop');
    expect(await verify(key)).toEqual({
      kind: 'api-key',
      id,
      name: 'shop',
      scopes: ['webhooks:read'],
      limits: null,
      actor: `api-key:${id}`,
      limitedAs: `api-key:${id}`,
    });
  });

  it('writes an audit line with it, and without the line no key', async () => {
    const { id, prefix } = await create();
    expect(await auditOf(id)).toMatchObject([
      { actor: 'cli', action: 'api_key.created', request_id: 'request-1', ip: '192.0.2.7', details: { prefix } },
    ]);
    jest.spyOn(here.get(AuditLog, { strict: false }), 'record').mockRejectedValue(new Error('no audit'));
    await expect(create('unaudited')).rejects.toThrow('no audit');
    expect(await sql(`SELECT FROM api_keys WHERE name = 'unaudited'`)).toEqual([]);
  });

  it('refuses scopes the maker lacks, and gives those it has', async () => {
    const held = await makerWith({ scopes: ['wallet:read', 'wallet:write'] });
    for (const scopes of [['admin'], ['wallet:read', 'payments:read']] as const) {
      await expect(service.create({ name: 'more', scopes: [...scopes] }, held, OPERATOR)).rejects.toThrow(
        ForbiddenError,
      );
    }
    const { key } = await service.create({ name: 'less', scopes: ['wallet:read'] }, held, OPERATOR);
    expect(await verify(key)).toMatchObject({ scopes: ['wallet:read'] });
  });

  it('refuses an end user, whatever the scopes', async () => {
    const user: KeyMaker = { kind: 'user', id: 'ann', scopes: ['wallet:read'], actor: 'user:ann' };
    await expect(service.create({ name: 'mine', scopes: ['wallet:read'] }, user, OPERATOR)).rejects.toThrow(
      ForbiddenError,
    );
    expect(await sql('SELECT FROM api_keys')).toEqual([]);
  });

  it('never gives a key a longer life than its maker has', async () => {
    const [sooner, end, later] = [await databaseTime(1e6), await databaseTime(2e6), await databaseTime(3e6)];
    const mortal = await makerWith({ scopes: ['admin'], expiresAt: end });
    const immortal = await makerWith({ scopes: ['admin'] });
    const expiryOf = async (maker: KeyMaker, expiresAt: Date | null) =>
      (await service.create({ name: 'child', scopes: ['admin'], expiresAt }, maker, OPERATOR)).expiresAt;
    expect(await expiryOf(mortal, null)).toEqual(end);
    expect(await expiryOf(mortal, later)).toEqual(end);
    expect(await expiryOf(mortal, sooner)).toEqual(sooner);
    expect(await expiryOf(immortal, null)).toBeNull();
    expect(await expiryOf(immortal, later)).toEqual(later);
  });

  it('gives a key the limits of its maker, and limits of its own from an admin only', async () => {
    const limits = { perMinute: 10 };
    const limited = await makerWith({ scopes: ['wallet:read'], limits });
    const child = (maker: KeyMaker, own?: ApiKeyLimits) =>
      service.create({ name: 'child', scopes: ['wallet:read'], limits: own ?? null }, maker, OPERATOR);
    expect(await child(limited)).toMatchObject({ limits });
    const others: ApiKeyLimits[] = [{ perMinute: 0 }, { perMinute: 5 }, { perHour: 0 }];
    for (const own of others) {
      await expect(child(limited, own)).rejects.toThrow(ForbiddenError);
    }
    const admin = await makerWith({ scopes: ['admin'], limits });
    expect(await child(admin)).toMatchObject({ limits });
    expect(await child(admin, { perMinute: 600 })).toMatchObject({ limits: { perMinute: 600 } });
  });

  it('counts a key in the limits of the key at the beginning, as long as nobody gave it limits of its own', async () => {
    const root = await makerWith({ scopes: ['wallet:read'], limits: { perHour: 5, perMinute: 10 } });
    const childOf = async (maker: KeyMaker, input: Partial<NewApiKey> = {}) => {
      const { id, key } = await service.create({ name: 'child', scopes: ['wallet:read'], ...input }, maker, OPERATOR);
      expect(await service.find(id)).toMatchObject({ makerId: maker.kind === 'operator' ? null : maker.id });
      return verified(key);
    };
    const child = await childOf(root);
    const grandchild = await childOf(child);
    expect(root.limitedAs).toBe(root.actor);
    expect([child.limitedAs, grandchild.limitedAs]).toEqual([root.actor, root.actor]);
    // What limits a subject is worked out anew for each other object.
    expect(child.limits).toBe(root.limits);
    expect(grandchild.limits).toBe(root.limits);

    const admin = await makerWith({ scopes: ['admin'] });
    const free = await childOf(admin);
    const limited = await childOf(admin, { limits: { perMinute: 600 } });
    expect([free.limitedAs, limited.limitedAs]).toEqual([free.actor, limited.actor]);
    expect((await childOf(limited)).limitedAs).toBe(limited.actor);
  });

  it('refuses a maker that was revoked a moment ago', async () => {
    const maker = await makerWith({ scopes: ['wallet:read'] });
    await service.revoke(maker.id, OPERATOR);
    const late = service.create({ name: 'late', scopes: ['wallet:read'] }, maker, OPERATOR);
    await expect(late).rejects.toThrow(UnauthenticatedError);
    expect(await sql(`SELECT FROM api_keys WHERE name = 'late'`)).toEqual([]);
  });

  it('stores limits as they were given', async () => {
    const limits = { perMinute: 600, perSecond: 0 };
    const { id } = await service.create({ name: 'limited', scopes: ['admin'], limits }, ADMIN, OPERATOR);
    expect(await service.find(id)).toMatchObject({ limits });
  });
});

describe('verifying a credential', () => {
  const lookUps = (calls: readonly [sql: string, ...unknown[]][]) =>
    calls.filter(([text]) => text.includes('WHERE key_hash = ANY')).length;

  it.each(['', 'hf_short', 'eyJhbGciOiJIUzI1NiJ9.e30.x', `hf_${'x'.repeat(40)}`])(
    'refuses "%s"',
    async (credential) => {
      expect(await verify(credential)).toBeNull();
    },
  );

  it('refuses a mistyped key without asking the database', async () => {
    const { key } = await create();
    const query = jest.spyOn(here.get(DataSource), 'query');
    const last = key.at(-1) === 'a' ? 'b' : 'a';
    expect(await verify(key.slice(0, -1) + last)).toBeNull();
    expect(lookUps(query.mock.calls)).toBe(0);
  });

  it('asks the database far less often than it is asked', async () => {
    const { key } = await create();
    await verify(key);
    const query = jest.spyOn(here.get(DataSource), 'query');
    for (let n = 0; n < 1000; n++) await verify(key);
    expect(lookUps(query.mock.calls)).toBeLessThan(5);
  });

  it('finds the good key among thousands of made-up ones, at twenty look-ups a second at most', async () => {
    const { key } = await create();
    const query = jest.spyOn(here.get(DataSource), 'query');
    const made = (n: number) => `hf_live_${String(n).padStart(40, 'x')}`;
    const started = performance.now();
    let wrong = 0;
    for (let wave = 0; wave < 20; wave++) {
      const flood = Array.from({ length: 400 }, () => verify(made(wrong++)));
      if (wave === 10) expect(await Promise.race([verify(key), delay(5000)])).toMatchObject({ kind: 'api-key' });
      expect(new Set(await Promise.all(flood))).toEqual(new Set([null]));
    }
    const most = 1 + Math.ceil((performance.now() - started) / 50);
    expect(wrong).toBe(8000);
    expect(lookUps(query.mock.calls)).toBeLessThanOrEqual(most);
    query.mockClear();
    await Promise.all(Array.from({ length: 3000 }, () => verify(made(wrong++))));
    expect(lookUps(query.mock.calls)).toBeLessThanOrEqual(2);
  });

  it('fails, rather than refuses, when the database does not answer', async () => {
    const { key } = await create();
    jest.spyOn(here.get(DataSource), 'query').mockRejectedValue(new Error('Connection terminated'));
    await expect(verify(key)).rejects.toThrow('Connection terminated');
  });
});

describe('expiry', () => {
  it('follows the clock of the database, to the moment', async () => {
    const expiresAt = await databaseTime(2000);
    const { key } = await service.create({ name: 'brief', scopes: ['admin'], expiresAt }, ADMIN, OPERATOR);
    expect(await verify(key)).not.toBeNull();
    while ((await verify(key)) !== null) await delay(5);
    const [{ late }] = await sql<{ late: number }>(
      'SELECT (extract(epoch FROM clock_timestamp() - $1::timestamptz) * 1000)::float8 AS late',
      [expiresAt],
    ).then((rows) => [rows[0]!] as const);
    expect(late).toBeGreaterThanOrEqual(0);
    expect(late).toBeLessThan(500);
  });

  it('does not follow the clock of the server', async () => {
    const [past, future] = [await databaseTime(-60_000), await databaseTime(3_600_000)];
    jest.useFakeTimers({ doNotFake: [...TIMERS] });
    try {
      jest.setSystemTime(past.getTime() - 86_400_000);
      const createUntil = (expiresAt: Date) =>
        service.create({ name: 'skewed', scopes: ['admin'], expiresAt }, ADMIN, OPERATOR);
      await expect(createUntil(past)).rejects.toThrow(ValidationError);
      const { key } = await createUntil(future);
      jest.setSystemTime(future.getTime() + 86_400_000);
      expect(await verify(key)).not.toBeNull();
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('revoking', () => {
  it('takes effect here at once and on every other replica within a second', async () => {
    const { id, key } = await create();
    expect(await verify(key, here)).not.toBeNull();
    expect(await verify(key, elsewhere)).not.toBeNull();
    await service.revoke(id, OPERATOR);
    const revokedAt = performance.now();
    expect(await verify(key, here)).toBeNull();
    while ((await verify(key, elsewhere)) !== null) await delay(5);
    expect(performance.now() - revokedAt).toBeLessThan(1000);
  });

  it('shows in the log when the key is used again, by its prefix alone', async () => {
    const { id, key, prefix } = await create();
    await service.revoke(id, OPERATOR);
    const log = jest.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
    await verify(key);
    const logged = JSON.stringify(log.mock.calls);
    expect(logged).toContain(`"prefix":"${prefix}"`);
    expect(logged).not.toContain(key.slice(0, prefix.length + 1));
  });

  it('ends every key that came of it too, here at once and elsewhere within a second, with a line for each', async () => {
    const root = await service.create({ name: 'root', scopes: ['wallet:read'] }, ADMIN, OPERATOR);
    const madeBy = async ({ key }: { key: string }) =>
      service.create({ name: 'made', scopes: ['wallet:read'] }, await verified(key), OPERATOR);
    const child = await madeBy(root);
    const [grandchild, sister, stranger] = [await madeBy(child), await madeBy(root), await create('stranger')];
    // What was revoked before stays as it is, and does not hide what came of it.
    await sql('UPDATE api_keys SET revoked_at = now() WHERE id = $1', [child.id]);
    const { revokedAt: before } = await service.find(child.id);
    expect(await verify(grandchild.key, elsewhere)).not.toBeNull();
    expect(await verify(sister.key, here)).not.toBeNull();

    await service.revoke(root.id, OPERATOR);
    const revokedAt = performance.now();
    for (const { key } of [root, grandchild, sister]) expect(await verify(key, here)).toBeNull();
    while ((await verify(grandchild.key, elsewhere)) !== null) await delay(5);
    expect(performance.now() - revokedAt).toBeLessThan(1000);
    expect(await verify(stranger.key)).not.toBeNull();
    expect((await service.find(child.id)).revokedAt).toEqual(before);

    const lines = await Promise.all([root, grandchild, sister, child, stranger].map(async ({ id }) => auditOf(id)));
    const because = `api-key:${root.id}`;
    expect(lines.map((each) => each.slice(1))).toMatchObject([
      [{ action: 'api_key.revoked', actor: 'cli', request_id: 'request-1', details: { name: 'root' } }],
      [{ action: 'api_key.revoked', actor: 'cli', request_id: 'request-1', details: { because } }],
      [{ action: 'api_key.revoked', actor: 'cli', request_id: 'request-1', details: { because } }],
      [],
      [],
    ]);
    expect(lines[0]?.[1]?.details).not.toHaveProperty('because');
  });

  it('lets nothing slip through that is being made at the same moment', async () => {
    for (let round = 0; round < 5; round++) {
      const root = await makerWith({ scopes: ['wallet:read'] });
      const child = await verified(
        (await service.create({ name: 'child', scopes: ['wallet:read'] }, root, OPERATOR)).key,
      );
      const made = Array.from({ length: 8 }, (_, n) =>
        (n % 2 ? here : elsewhere)
          .get(ApiKeysService)
          .create({ name: 'racing', scopes: ['wallet:read'] }, n % 3 ? child : root, OPERATOR),
      );
      await Promise.all([service.revoke(root.id, OPERATOR), Promise.allSettled(made)]);
      expect(await sql('SELECT name FROM api_keys WHERE revoked_at IS NULL')).toEqual([]);
    }
  });

  it('happens once: the second time changes and records nothing', async () => {
    const { id } = await create();
    await Promise.all([service.revoke(id, OPERATOR), elsewhere.get(ApiKeysService).revoke(id, OPERATOR)]);
    const { revokedAt } = await service.find(id);
    await service.revoke(id, OPERATOR);
    expect(await service.find(id)).toMatchObject({ revokedAt });
    expect((await auditOf(id)).map(({ action }) => action)).toEqual(['api_key.created', 'api_key.revoked']);
  });

  it.each([randomUUID(), 'no-uuid', ''])('finds nothing under "%s"', async (id) => {
    await expect(service.revoke(id, OPERATOR)).rejects.toThrow(NotFoundError);
    await expect(service.find(id)).rejects.toThrow(NotFoundError);
  });
});

describe('listing', () => {
  it('pages through all keys, newest first, revoked ones too', async () => {
    const ids: string[] = [];
    for (const name of ['a', 'b', 'c', 'd', 'e']) ids.unshift((await create(name)).id);
    await service.revoke(ids[2]!, OPERATOR);
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = await service.list(2, cursor);
      seen.push(...page.data.map(({ id }) => id));
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    expect(seen).toEqual(ids);
  });

  it('refuses a cursor that is none', async () => {
    await expect(service.list(2, 'nonsense')).rejects.toThrow(ValidationError);
  });
});

describe('last use', () => {
  it('shows soon after the first request', async () => {
    const { id, key } = await create();
    expect(await service.find(id)).toMatchObject({ lastUsedAt: null });
    await verify(key);
    expect(await waitFor(async () => (await service.find(id)).lastUsedAt, { timeout: 5000 })).toBeInstanceOf(Date);
  });

  it('is written before a replica ends', async () => {
    const { id, key } = await create();
    const replica = await startReplica();
    await verify(key, replica);
    await replica.close();
    expect((await service.find(id)).lastUsedAt).toBeInstanceOf(Date);
  });
});

describe('the bootstrap key', () => {
  const ensure = (replica = here) => replica.get(BootstrapKeys).ensureBootstrapKey(BOOTSTRAP_API_KEY);

  it('is registered as an admin key once, however many replicas start, even if it looks mistyped', async () => {
    await Promise.all([ensure(here), ensure(elsewhere), ensure(here), ensure(elsewhere)]);
    await ensure();
    const principal = await verify(BOOTSTRAP_API_KEY);
    expect(principal).toMatchObject({ scopes: ['admin'], name: 'bootstrap' });
    expect(await auditOf(principal!.id)).toMatchObject([{ actor: 'system', action: 'api_key.created' }]);
  });

  it('stays revoked when a server starts again, and says so', async () => {
    await ensure();
    const [row] = await sql<{ id: string }>('SELECT id FROM api_keys');
    await service.revoke(row!.id, OPERATOR);
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    await ensure();
    expect(await verify(BOOTSTRAP_API_KEY)).toBeNull();
    expect(warn).toHaveBeenCalledWith(expect.stringContaining('was revoked'));
  });

  it('must be a key', async () => {
    await expect(here.get(BootstrapKeys).ensureBootstrapKey('admin')).rejects.toThrow('BOOTSTRAP_API_KEY');
  });
});

describe('the first admin key', () => {
  const ensure = (replica = here) => replica.get(BootstrapKeys).ensureFirstAdminKey();

  it('is made by exactly one of the processes that start together', async () => {
    const made = await Promise.all(Array.from({ length: 8 }, (_, n) => ensure(n % 2 ? here : elsewhere)));
    const keys = made.filter((key) => key !== null);
    expect(keys).toHaveLength(1);
    expect(await sql('SELECT FROM api_keys')).toHaveLength(1);
    expect(await verify(keys[0]!)).toMatchObject({ name: 'first admin', scopes: ['admin'] });
  });

  it('is not made while an admin key is active', async () => {
    await service.create({ name: 'boss', scopes: ['admin'] }, ADMIN, OPERATOR);
    expect(await ensure()).toBeNull();
  });

  it('is made again when every admin key is revoked or expired', async () => {
    const { id } = await service.create({ name: 'boss', scopes: ['admin'] }, ADMIN, OPERATOR);
    await service.revoke(id, OPERATOR);
    const expiresAt = await databaseTime(500);
    await service.create({ name: 'temp', scopes: ['admin'], expiresAt }, ADMIN, OPERATOR);
    await waitFor(async () => (await databaseTime(0)) > expiresAt);
    await create('no admin');
    expect(await ensure()).toMatch(/^hf_test_/);
  });
});

describe('the migration that adds makers', () => {
  it('finds the maker of old keys in who created them, and changes nothing else about them', async () => {
    const root = await service.create({ name: 'root', scopes: ['wallet:read'] }, ADMIN, OPERATOR);
    const contexts: RequestContext[] = [
      { actor: `api-key:${root.id}` },
      { actor: `api-key:${randomUUID()}` },
      { actor: 'api-key:nonsense' },
      { actor: 'system' },
    ];
    for (const context of contexts) await service.create({ name: 'old', scopes: ['wallet:read'] }, ADMIN, context);
    const runner = here.get(DataSource).createQueryRunner();
    try {
      const migration = new AddApiKeyMaker1795248010000();
      await migration.down(runner);
      await migration.up(runner);
    } finally {
      await runner.release();
    }
    const keys = (await service.list(10)).data.toReversed();
    expect(keys.map(({ makerId }) => makerId)).toEqual([null, root.id, null, null, null]);
    expect(keys.map(({ sharesLimitsOf }) => sharesLimitsOf)).toEqual([null, null, null, null, null]);
  });
});
