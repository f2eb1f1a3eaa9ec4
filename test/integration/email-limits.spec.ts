import type { INestApplicationContext } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ConfigModule, loadConfig } from '../../src/config/index.js';
import { type EmailAddress, emailAddress } from '../../src/kernel/email-address.js';
import { AUDIT_ENTITIES } from '../../src/modules/audit/index.js';
import {
  EMAIL_LIMIT_ENTITIES,
  type EmailLimitKind,
  type EmailLimitReading,
  EmailLimiter,
  EmailLimitsModule,
} from '../../src/modules/email-limits/index.js';
import { EmailLimitsRepository } from '../../src/modules/email-limits/email-limits.repository.js';
import { EmailLimitsService } from '../../src/modules/email-limits/email-limits.service.js';
import { ClockModule } from '../../src/platform/clock/index.js';
import { DatabaseModule } from '../../src/platform/database/index.js';
import { EncryptionModule } from '../../src/platform/encryption/index.js';
import { IdempotencyModule } from '../../src/platform/idempotency/index.js';
import { Metrics, MetricsModule } from '../../src/platform/metrics/index.js';
import { RATE_LIMIT_ENTITIES, RateLimitedError, RateLimitModule } from '../../src/platform/rate-limit/index.js';
import { RedisModule } from '../../src/platform/redis/index.js';
import { RepeatingTasks, ScheduleModule } from '../../src/platform/schedule/index.js';
import { TransactionModule, Transactor } from '../../src/platform/transaction/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { makeTempFolder, removeTempFolder } from '../support/temp-folder.js';
import { waitFor } from '../support/wait-for.js';

const ADMIN = { actor: 'api-key:admin', requestId: 'request-1', ip: '192.0.2.7' };
const HOUR_MS = 3_600_000;

let database: TestDatabase;
let dataDir: string;
/** Two processes of one configuration, and one without limits. */
let here: INestApplicationContext;
let there: INestApplicationContext;
let off: INestApplicationContext;
let addresses = 0;

function start(env: Record<string, string> = {}): Promise<INestApplicationContext> {
  const config = loadConfig({ NODE_ENV: 'test', DATA_DIR: dataDir, ENCRYPTION_KEY: '0'.repeat(64), ...env });
  class Process {}
  return NestFactory.createApplicationContext(
    {
      module: Process,
      imports: [
        ConfigModule.forRoot(config),
        MetricsModule,
        DatabaseModule.forRoot(database.url, {
          entities: [...EMAIL_LIMIT_ENTITIES, ...AUDIT_ENTITIES, ...RATE_LIMIT_ENTITIES],
          migrations: [],
        }),
        RedisModule,
        ClockModule,
        TransactionModule,
        EncryptionModule,
        ScheduleModule,
        RateLimitModule,
        IdempotencyModule,
        EmailLimitsModule,
      ],
    },
    { logger: false, abortOnError: false },
  );
}

beforeAll(async () => {
  database = await createTestDatabase();
  dataDir = makeTempFolder('email-limits');
  here = await start();
  there = await start();
  off = await start({ EMAIL_VERIFICATION_RATE_LIMIT: '0', EMAIL_PASSWORD_RESET_RATE_LIMIT: '0' });
});

afterAll(async () => {
  await Promise.all([here?.close(), there?.close(), off?.close()]);
  await database?.drop();
  removeTempFolder(dataDir);
});

function address(text = `anna${++addresses}@example.com`): EmailAddress {
  const made = emailAddress(text);
  if (made === undefined) throw new Error(`${text} is no address`);
  return made;
}

function take(
  email: EmailAddress,
  { at = here, kind = 'verification' }: { at?: INestApplicationContext; kind?: EmailLimitKind } = {},
): Promise<EmailLimitReading> {
  return at.get(Transactor).run((tx) => at.get(EmailLimiter).take(tx, kind, email), { isolation: 'READ COMMITTED' });
}

async function takeMany(count: number, email: EmailAddress): Promise<void> {
  for (let each = 0; each < count; each++) await take(email);
}

/** The refusal of one more. */
function refusal(taking: Promise<unknown>): Promise<RateLimitedError> {
  return taking.then(
    () => {
      throw new Error('it was let through');
    },
    (error: unknown) => {
      expect(error).toBeInstanceOf(RateLimitedError);
      return error as RateLimitedError;
    },
  );
}

const show = (email: EmailAddress, kind = 'verification') => here.get(EmailLimitsService).show(kind, email);
const override = (email: EmailAddress, limit: number, until?: string | null) =>
  here.get(EmailLimitsService).override('verification', email, { limit, ...(until && { until }) }, ADMIN);
const query = <Row>(text: string, parameters: unknown[] = []) => here.get(DataSource).query<Row[]>(text, parameters);

/** As if everything the address has done, and was told, had happened so much earlier. */
async function passes(interval: string): Promise<void> {
  await query(
    `
    UPDATE email_limits
    SET
      attempts = ARRAY (SELECT attempt - $1::interval FROM unnest(attempts) AS attempt ORDER BY attempt),
      override_until = override_until - $1::interval,
      expires_at = expires_at - $1::interval`,
    [interval],
  );
}

const rows = async () => (await query(`SELECT FROM email_limits`)).length;

describe('EmailLimiter', () => {
  it('lets five through and says after each how many are left', async () => {
    const email = address();
    const before = Date.now() - 60_000;
    const left: number[] = [];
    for (let each = 0; each < 5; each++) left.push((await take(email)).remaining);
    expect(left).toEqual([4, 3, 2, 1, 0]);
    const { details, headers } = await refusal(take(email));
    expect(details['retryAfter']).toBeGreaterThan(3590);
    expect(details['retryAfter']).toBeLessThanOrEqual(3601);
    expect(Date.parse(String(details['resetAt']))).toBeGreaterThan(before + HOUR_MS);
    expect(headers).toMatchObject({ 'x-ratelimit-limit': '5', 'x-ratelimit-remaining': '0' });
  });

  it.each([
    ['verification', 'Too many verification emails. Please wait before requesting another.'],
    ['password-reset', 'Too many password reset emails. Please wait before requesting another.'],
  ] as const)('says of %s what there were too many of', async (kind, text) => {
    const email = address();
    for (let each = 0; each < here.get(EmailLimiter).configured[kind]; each++) await take(email, { kind });
    expect((await refusal(take(email, { kind }))).message).toBe(text);
  });

  it('counts each kind and each address for itself, and every spelling of one address together', async () => {
    const email = address('Berta@B\u00fccher.example');
    await takeMany(5, email);
    await refusal(take(address('BERTA@xn--bcher-kva.example')));
    expect(await take(email, { kind: 'password-reset' })).toMatchObject({ limit: 3, remaining: 2 });
    expect(await take(address())).toMatchObject({ remaining: 4 });
  });

  it('lets exactly five of twenty through that come at once to two processes', async () => {
    for (let round = 0; round < 5; round++) {
      const email = address();
      const all = Array.from({ length: 20 }, (_, each) => take(email, { at: each % 2 === 0 ? here : there }));
      const settled = await Promise.allSettled(all);
      expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
      for (const each of settled) {
        if (each.status === 'rejected') expect(each.reason).toBeInstanceOf(RateLimitedError);
      }
      expect(await show(email)).toMatchObject({ count: 5, remaining: 0 });
    }
  });

  it('lets exactly as many through where the callers are serializable and run again', async () => {
    const email = address();
    const settled = await Promise.allSettled(
      Array.from({ length: 8 }, (_, each) => {
        const at = each % 2 === 0 ? here : there;
        return at.get(Transactor).run((tx) => at.get(EmailLimiter).take(tx, 'password-reset', email), { attempts: 50 });
      }),
    );
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  });

  it('slides: room comes back attempt by attempt', async () => {
    const email = address();
    await takeMany(3, email);
    await passes('40 minutes');
    await takeMany(2, email);
    const { details } = await refusal(take(email));
    expect(details['retryAfter']).toBeGreaterThan(19 * 60);
    expect(details['retryAfter']).toBeLessThanOrEqual(20 * 60 + 1);
    await passes('20 minutes');
    expect(await show(email)).toMatchObject({ count: 2, remaining: 3 });
    await takeMany(3, email);
    await refusal(take(email));
    expect((await show(email)).attempts).toHaveLength(5);
  });

  it('lets the next one through at the reset it has told', async () => {
    const email = address();
    await takeMany(5, email);
    await passes('59 minutes 58 seconds');
    const resetAt = String((await refusal(take(email))).details['resetAt']);
    const isOver = async () => (await query(`SELECT WHERE clock_timestamp() >= $1::timestamptz`, [resetAt])).length > 0;
    await waitFor(isOver, { what: 'the reset' });
    await take(email);
  });

  it('does not count what it refuses', async () => {
    const email = address();
    await takeMany(5, email);
    await passes('30 minutes');
    for (let each = 0; each < 10; each++) await refusal(take(email));
    await passes('30 minutes');
    expect(await show(email)).toMatchObject({ count: 0, remaining: 5, resetAt: null });
  });

  it('decides by the time of the decision, not by that of a transaction that began long before', async () => {
    const email = address();
    await here.get(Transactor).run(
      async (tx) => {
        await tx.query(`SELECT now()`);
        await takeMany(5, email);
        await passes('1 hour');
        expect(await here.get(EmailLimiter).take(tx, 'verification', email)).toMatchObject({ remaining: 4 });
      },
      { isolation: 'READ COMMITTED' },
    );
  });

  it('gives an attempt back when the caller rolls back', async () => {
    const email = address();
    const failed = here.get(Transactor).run(async (tx) => {
      await here.get(EmailLimiter).take(tx, 'verification', email);
      throw new Error('after all not');
    });
    await expect(failed).rejects.toThrow('after all not');
    expect(await show(email)).toMatchObject({ count: 0, attempts: [] });
    await takeMany(5, email);
  });

  it('turned off counts nothing and writes nothing', async () => {
    const email = address();
    const before = await rows();
    expect(await take(email, { at: off })).toMatchObject({ limit: 0, count: 0, remaining: Infinity });
    expect(await rows()).toBe(before);
  });

  it('holds no address', async () => {
    await take(address('carla.geheim@example.com'));
    const all = await query<{ text: string }>(`SELECT email_limits::text AS text FROM email_limits`);
    const text = all.map((row) => row.text).join('\n');
    expect(text).not.toContain('carla');
    expect(text).not.toContain(Buffer.from('carla').toString('hex'));
  });

  it('tells Prometheus what became of the attempts', async () => {
    const email = address();
    await takeMany(5, email);
    await refusal(take(email));
    await take(email, { at: off });
    expect(await off.get(Metrics).render()).toMatch(
      /holdfast_email_limit_decisions_total\{kind="verification",outcome="off"\} \d/,
    );
    const text = await here.get(Metrics).render();
    for (const outcome of ['allowed', 'refused']) {
      expect(text).toMatch(
        new RegExp(`holdfast_email_limit_decisions_total{kind="verification",outcome="${outcome}"} [1-9]`),
      );
    }
  });
});

describe('An override', () => {
  it('raises the limit of one address', async () => {
    const email = address();
    await takeMany(5, email);
    await override(email, 7);
    await takeMany(2, email);
    await refusal(take(email));
    expect(await show(email)).toMatchObject({ count: 7, limit: 7, override: { limit: 7, setBy: 'api-key:admin' } });
    const other = address();
    await takeMany(5, other);
    await refusal(take(other));
  });

  it('lowers it, and asks to wait until enough attempts have left', async () => {
    const email = address();
    await takeMany(2, email);
    await passes('30 minutes');
    await takeMany(2, email);
    await override(email, 2);
    const { details } = await refusal(take(email));
    expect(details['retryAfter']).toBeGreaterThan(59 * 60);
    await passes('30 minutes');
    await refusal(take(email));
  });

  it('of 0 takes the limit away, and what is sent meanwhile does not count', async () => {
    const email = address();
    await takeMany(5, email);
    await override(email, 0);
    expect(await take(email)).toMatchObject({ limit: 0, count: 5, remaining: Infinity });
    expect(await show(email)).toMatchObject({ limit: 0, count: 5, remaining: null });
    await here.get(EmailLimitsService).restore('verification', email, ADMIN);
    await refusal(take(email));
  });

  it('limits an address where nothing else is limited', async () => {
    const email = address();
    await override(email, 1);
    await take(email, { at: off });
    await refusal(take(email, { at: off }));
  });

  it('ends by itself', async () => {
    const email = address();
    await override(email, 6, '2099-12-31T23:59:59Z');
    await takeMany(6, email);
    await query(`UPDATE email_limits SET override_until = now() - interval '1 second' WHERE override_limit = 6`);
    await refusal(take(email));
    expect(await show(email)).toMatchObject({ limit: 5, count: 6, remaining: 0, override: null });
    await expect(here.get(EmailLimitsService).restore('verification', email, ADMIN)).rejects.toThrow(
      'no such override',
    );
  });

  it('is refused when it has ended before it began', async () => {
    const email = address();
    await expect(override(email, 6, '2020-01-01T00:00:00Z')).rejects.toThrow('until must be in the future');
    expect(await show(email)).toMatchObject({ limit: 5, override: null });
  });

  it('replaces the one before it', async () => {
    const email = address();
    await override(email, 6, '2099-12-31T23:59:59Z');
    await override(email, 1);
    expect((await show(email)).override).toMatchObject({ limit: 1, until: null });
  });
});

describe('The sweep', () => {
  const sweep = () => there.get(EmailLimitsRepository).removeExpired(10);

  it('removes what no longer counts and nothing else', async () => {
    await query(`DELETE FROM email_limits`);
    const [over, used, forever, until, ended, restored] = [0, 1, 2, 3, 4, 5].map(() => address());
    if (!over || !used || !forever || !until || !ended || !restored) throw new Error('no address');
    await override(forever, 9);
    await override(until, 9, '2099-12-31T23:59:59Z');
    await override(restored, 9);
    for (const email of [over, forever, until, ended, restored]) await take(email);
    await override(ended, 9, new Date(Date.now() + 30 * 60_000).toISOString());
    await here.get(EmailLimitsService).restore('verification', restored, ADMIN);
    expect(await sweep()).toBe(0);
    await passes('45 minutes');
    expect(await sweep()).toBe(0);
    await passes('16 minutes');
    await take(used);
    expect(await sweep()).toBe(3);
    expect(await rows()).toBe(3);
    expect((await show(forever)).override).toMatchObject({ limit: 9, until: null });
    expect((await show(until)).override).toMatchObject({ limit: 9 });
    expect(await show(used)).toMatchObject({ count: 1 });
  });

  it('removes an override that was taken back before anything was sent', async () => {
    await query(`DELETE FROM email_limits`);
    const email = address();
    await override(email, 9);
    await here.get(EmailLimitsService).restore('verification', email, ADMIN);
    expect(await sweep()).toBe(1);
  });

  it('leaves a row alone that is being counted in', async () => {
    await query(`DELETE FROM email_limits`);
    const email = address();
    await take(email);
    await passes('61 minutes');
    await here.get(Transactor).run(
      async (tx) => {
        await here.get(EmailLimiter).take(tx, 'verification', email);
        expect(await sweep()).toBe(0);
      },
      { isolation: 'READ COMMITTED' },
    );
    expect(await sweep()).toBe(0);
    expect(await show(email)).toMatchObject({ count: 1 });
  });

  it('removes many, batch by batch', async () => {
    await query(`DELETE FROM email_limits`);
    await query(`
      INSERT INTO email_limits (kind, email_hash, expires_at)
      SELECT 'verification', sha256(n::text::bytea), now() - interval '1 minute' FROM generate_series(1, 1201) AS n`);
    await here.get(RepeatingTasks).run('email limits');
    expect(await rows()).toBe(0);
  });
});
