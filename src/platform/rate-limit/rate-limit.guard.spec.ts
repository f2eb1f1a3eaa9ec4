import {
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  HttpCode,
  Injectable,
  Post,
  Req,
  type Type,
} from '@nestjs/common';
import { APP_GUARD, DiscoveryModule } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import * as nest from '@nestjs/throttler';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { CONFIG, loadConfig } from '../../config/index.js';
import { DatabaseClock } from '../clock/index.js';
import { ProblemFilter } from '../http/index.js';
import { RequestClaim } from '../idempotency/request-claim.js';
import { Metrics, MetricsModule } from '../metrics/index.js';
import { MemoryRateLimitStore } from './adapters/memory-rate-limit-store.js';
import { ApplicableTiers } from './applicable-tiers.js';
import { RateLimitOverrides } from './overrides/rate-limit-overrides.js';
import type { RateLimitOverride } from './overrides/rate-limit-override.entity.js';
import { RateLimitGuard } from './rate-limit.guard.js';
import { RateLimitMetrics } from './rate-limit-metrics.js';
import { RateLimitRules } from './rate-limit-rules.js';
import { RATE_LIMIT_STORE, RateLimiter } from './rate-limiter.js';
import { type RepeatClaim, RepeatLookup } from './repeat-lookup.js';
import { SkipThrottle, Throttle } from './throttle.decorator.js';
import { StoreThrottlerStorage } from './throttler-storage.js';
import { throttlersOf } from './throttlers.js';

/** Stands for the guards that run before: says who calls, and what is claimed. */
@Injectable()
class Before implements CanActivate {
  canActivate(context: ExecutionContext): true {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    const { who, own, key, as } = request.query as Record<string, string | undefined>;
    if (who !== undefined) {
      const limits = own === undefined ? null : (JSON.parse(own) as Record<string, number>);
      const limitedAs = `api-key:${as ?? who}`;
      request.principal = {
        kind: 'api-key',
        id: who,
        name: who,
        scopes: [],
        actor: `api-key:${who}`,
        limits,
        limitedAs,
      };
    }
    if (key !== undefined) {
      const reply = context.switchToHttp().getResponse<FastifyReply>();
      const claim = new RequestClaim('test', key, '', { request, reply, secrets: undefined });
      const answer = { status: 200, contentType: '', body: '', createdAt: new Date(), expiresAt: new Date() };
      request.idempotency = { claim, ...(key === 'remembered' && { answer }) };
    }
    return true;
  }
}

class StoredAnswers extends RepeatLookup {
  asked = 0;

  override async isRepeat({ key }: RepeatClaim): Promise<boolean> {
    this.asked++;
    return key === 'stored';
  }
}

@Controller()
class Routes {
  constructor(private readonly limiter: RateLimiter) {}

  @Get('read')
  read() {
    return {};
  }

  @Post('change')
  @HttpCode(200)
  change() {
    return {};
  }

  @Post('pay')
  @HttpCode(200)
  @Throttle({ payments: {} })
  pay() {
    return {};
  }

  @Get('pay')
  @Throttle({ payments: {}, mutations: {} })
  payments() {
    return {};
  }

  /** Finds out late that it is a repeat, and says so twice. */
  @Post('repeat')
  @HttpCode(200)
  @Throttle({ payments: {} })
  repeat(@Req() request: FastifyRequest) {
    this.limiter.refund(request);
    this.limiter.refund(request);
    return {};
  }
}

@Controller('own')
@Throttle({ perHour: { limit: 4 }, payments: { limit: 3, ttl: 5000 } })
class OwnNumbers {
  @Get('first')
  first() {
    return {};
  }

  @Get('second')
  second() {
    return {};
  }

  @Get('third')
  @Throttle({ perHour: { limit: 2 } })
  third() {
    return {};
  }
}

@Controller('skipped')
@SkipThrottle()
class Skipped {
  @Post('all')
  @HttpCode(200)
  all() {
    return {};
  }

  @Post('some')
  @HttpCode(200)
  @SkipThrottle({ default: false, mutations: true })
  some() {
    return {};
  }
}

let app: NestFastifyApplication;
let limiter: RateLimiter;
let metrics: Metrics;
let answers: StoredAnswers;
afterEach(() => app.close());

async function start(
  environment: Record<string, string>,
  overrides: Partial<RateLimitOverride>[] = [],
  controllers: Type[] = [Routes, OwnNumbers, Skipped],
): Promise<void> {
  answers = new StoredAnswers();
  // Time stands still: however long the requests of a test take, they come in the same second.
  const now = performance.now();
  const testing = await Test.createTestingModule({
    imports: [MetricsModule, DiscoveryModule],
    controllers,
    providers: [
      {
        provide: CONFIG,
        useValue: loadConfig({ ENCRYPTION_KEY: 'a'.repeat(64), JWT_SECRET: 'a'.repeat(64), ...environment }),
      },
      { provide: DatabaseClock, useValue: { now: () => Date.now() } },
      { provide: RATE_LIMIT_STORE, useValue: new MemoryRateLimitStore(() => now) },
      {
        provide: RateLimitOverrides,
        useValue: {
          version: 1,
          of: (subject: string) => {
            const own = overrides.filter((override) => override.subject === subject);
            return own.length === 0 ? undefined : new Map(own.map((override) => [override.rule, override]));
          },
        },
      },
      { provide: RepeatLookup, useValue: answers },
      { provide: nest.getOptionsToken(), inject: [RateLimitRules], useFactory: throttlersOf },
      { provide: nest.getStorageToken(), useClass: StoreThrottlerStorage },
      ApplicableTiers,
      RateLimitRules,
      RateLimitMetrics,
      RateLimiter,
      { provide: APP_GUARD, useClass: Before },
      { provide: APP_GUARD, useClass: RateLimitGuard },
    ],
  }).compile();
  app = testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
  app.useGlobalFilters(new ProblemFilter());
  await app.init();
  limiter = app.get(RateLimiter);
  metrics = app.get(Metrics);
}

async function send(method: 'GET' | 'POST', path: string, query: Record<string, string> = {}) {
  const { statusCode, headers } = await app.inject({ method, url: path, query });
  return { status: statusCode, headers };
}

async function statuses(count: number, ...request: Parameters<typeof send>): Promise<number[]> {
  const all = [];
  for (let each = 0; each < count; each++) all.push((await send(...request)).status);
  return all;
}

const counted = (all: readonly number[], status = 200) => all.filter((each) => each === status).length;

async function metric(line: RegExp): Promise<number> {
  return Number(line.exec(await metrics.render())?.[1] ?? 0);
}

describe('RateLimitGuard', () => {
  it('limits by the defaults of the product: 10 a second, 20 changes and 5 payments a minute', async () => {
    await start({});
    expect(counted(await statuses(12, 'GET', '/read', { who: 'reader' }))).toBe(10);
    expect(counted(await statuses(7, 'POST', '/pay', { who: 'payer' }))).toBe(5);
    await app.close();
    await start({ RATE_LIMIT_PER_SECOND: '0' });
    expect(counted(await statuses(22, 'POST', '/change', { who: 'writer' }))).toBe(20);
    expect(counted(await statuses(102, 'GET', '/read', { who: 'reader' }))).toBe(100);
  });

  it('counts what only reads as no mutation, whatever its route asks for', async () => {
    await start({ RATE_LIMIT_PER_SECOND: '0', PAYMENT_RATE_LIMIT: '0' });
    expect(counted(await statuses(25, 'GET', '/pay', { who: 'reader' }))).toBe(25);
    expect(counted(await statuses(21, 'POST', '/change', { who: 'reader' }))).toBe(20);
  });

  it('says in the headers of every answer where the caller stands, by the tightest tier', async () => {
    await start({ RATE_LIMIT_PER_SECOND: '50' });
    const first = await send('POST', '/pay', { who: 'ann' });
    expect(first.headers).toMatchObject({
      'x-ratelimit-limit': '5',
      'x-ratelimit-remaining': '4',
      'x-ratelimit-reset': expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      'ratelimit-policy':
        '"perSecond";q=50;w=1, "perMinute";q=100;w=60, "perHour";q=1000;w=3600, "mutations";q=20;w=60, "payments";q=5;w=60',
      ratelimit: '"payments";r=4;t=60',
    });
    expect(first.headers['retry-after']).toBeUndefined();
    await statuses(4, 'POST', '/pay', { who: 'ann' });
    const refused = await send('POST', '/pay', { who: 'ann' });
    expect(refused.status).toBe(429);
    expect(refused.headers).toMatchObject({ 'x-ratelimit-limit': '5', 'x-ratelimit-remaining': '0' });
    const reset = Date.parse(String(refused.headers['x-ratelimit-reset']));
    expect(Date.now() + Number(refused.headers['retry-after']) * 1000).toBeGreaterThanOrEqual(reset);
    expect(reset - Date.now()).toBeGreaterThan(55_000);
  });

  it('charges a refused request to no tier', async () => {
    await start({ RATE_LIMIT_PER_SECOND: '0' });
    expect(counted(await statuses(60, 'POST', '/pay', { who: 'ann' }))).toBe(5);
    expect(
      await limiter.usage('api-key:ann', undefined, ['perMinute', 'perHour', 'mutations', 'payments']),
    ).toMatchObject([{ used: 5 }, { used: 5 }, { used: 5 }, { used: 5 }]);
  });

  it('limits public routes by address and by their own rules only', async () => {
    await start({});
    const read = await send('GET', '/read');
    expect(read.status).toBe(200);
    expect(read.headers['x-ratelimit-limit']).toBeUndefined();
    expect(counted(await statuses(7, 'POST', '/pay'))).toBe(5);
    expect((await send('POST', '/pay', { who: 'ann' })).status).toBe(200);
  });

  it('limits every request with a credential by a window of the operator too', async () => {
    await start({ RATE_LIMIT_WINDOW_MS: '90500', RATE_LIMIT_MAX_REQUESTS: '3' });
    const { headers } = await send('GET', '/read', { who: 'ann' });
    expect(headers).toMatchObject({
      'ratelimit-policy': '"perSecond";q=10;w=1, "perMinute";q=100;w=60, "perHour";q=1000;w=3600, "window";q=3;w=91',
      ratelimit: '"window";r=2;t=91',
    });
    expect(counted(await statuses(5, 'POST', '/change', { who: 'ann' }))).toBe(2);
    expect(counted(await statuses(5, 'GET', '/read', { who: 'bob', own: '{"window":4}' }))).toBe(4);
    expect((await send('GET', '/read')).headers['ratelimit-policy']).toBeUndefined();
  });

  it('leaves alone what is turned off', async () => {
    await start(
      Object.fromEntries(
        ['RATE_LIMIT_PER_SECOND', 'RATE_LIMIT_PER_MINUTE', 'RATE_LIMIT_PER_HOUR', 'MUTATION_RATE_LIMIT'].map((name) => [
          name,
          '0',
        ]),
      ),
    );
    const { status, headers } = await send('POST', '/change', { who: 'ann' });
    expect(status).toBe(200);
    expect(headers['ratelimit-policy']).toBeUndefined();
    expect(counted(await statuses(50, 'POST', '/change', { who: 'ann' }))).toBe(50);
  });

  it("puts a key's own limits in the place of the default ones, and none for 0", async () => {
    await start({});
    expect(counted(await statuses(20, 'GET', '/read', { who: 'slow', own: '{"perSecond":3}' }))).toBe(3);
    expect(counted(await statuses(20, 'GET', '/read', { who: 'fast', own: '{"perSecond":0,"unheard":1}' }))).toBe(20);
    expect(counted(await statuses(20, 'GET', '/read', { who: 'other' }))).toBe(10);
  });

  it("lets an admin's override go before a key's own limit, and both before what holds for everyone", async () => {
    await start({}, [
      { subject: 'api-key:ann', rule: 'perSecond', limit: 4, shadow: null },
      { subject: 'everyone', rule: 'perSecond', limit: 2, shadow: null },
    ]);
    expect(counted(await statuses(9, 'GET', '/read', { who: 'ann', own: '{"perSecond":6}' }))).toBe(4);
    expect(counted(await statuses(9, 'GET', '/read', { who: 'bob', own: '{"perSecond":6}' }))).toBe(6);
    expect(counted(await statuses(9, 'GET', '/read', { who: 'cid' }))).toBe(2);
  });

  it('counts a key for the one it shares limits with, until an admin has something to say about it', async () => {
    await start({}, [{ subject: 'api-key:cid', rule: 'perMinute', limit: 50, shadow: null }]);
    expect(counted(await statuses(4, 'GET', '/read', { who: 'ann' }))).toBe(4);
    expect(counted(await statuses(9, 'GET', '/read', { who: 'bob', as: 'ann' }))).toBe(6);
    expect(counted(await statuses(1, 'GET', '/read', { who: 'ann' }))).toBe(0);
    expect(counted(await statuses(12, 'GET', '/read', { who: 'cid', as: 'ann' }))).toBe(10);
    expect(await limiter.usage('api-key:bob', undefined, ['perSecond'])).toMatchObject([{ used: 0 }]);
  });

  it('counts what a shadow would have refused, and refuses nothing for it', async () => {
    await start({ RATE_LIMIT_SHADOW: 'perSecond', RATE_LIMIT_PER_SECOND: '3' }, [
      { subject: 'api-key:bob', rule: 'perSecond', limit: null, shadow: false },
    ]);
    expect(counted(await statuses(10, 'GET', '/read', { who: 'ann' }))).toBe(10);
    expect((await send('GET', '/read', { who: 'ann' })).headers['ratelimit-policy']).not.toContain('perSecond');
    expect(
      await metric(/^holdfast_rate_limit_decisions_total\{policy="perSecond",outcome="shadow_refused"\} (\d+)$/m),
    ).toBe(8);
    expect(counted(await statuses(10, 'GET', '/read', { who: 'bob' }))).toBe(3);
  });

  it('lets bursts through where a rule is a token bucket', async () => {
    await start({ RATE_LIMIT_TOKEN_BUCKET: 'perSecond,perMinute' });
    expect(counted(await statuses(12, 'GET', '/read', { who: 'ann' }))).toBeGreaterThanOrEqual(10);
  });

  it('takes one step of the store for all tiers of a request', async () => {
    await start({});
    const take = jest.spyOn(app.get<MemoryRateLimitStore>(RATE_LIMIT_STORE), 'take');
    expect(counted(await statuses(6, 'POST', '/pay', { who: 'ann' }))).toBe(5);
    expect(take).toHaveBeenCalledTimes(6);
    expect(take.mock.calls.at(-1)?.[1].map(({ name }) => name)).toEqual([
      'perSecond',
      'perMinute',
      'perHour',
      'mutations',
      'payments',
    ]);
  });

  describe('limits a route that @Throttle gives numbers of its own', () => {
    it('by them, in its headers too, and counts it by itself', async () => {
      await start({ RATE_LIMIT_PER_SECOND: '0' });
      expect((await send('GET', '/own/first', { who: 'ann' })).headers['ratelimit-policy']).toBe(
        '"perMinute";q=100;w=60, "perHour";q=4;w=3600, "payments";q=3;w=5',
      );
      expect(counted(await statuses(4, 'GET', '/own/first', { who: 'ann' }))).toBe(2);
      expect(counted(await statuses(5, 'GET', '/own/second', { who: 'ann' }))).toBe(3);
      expect(counted(await statuses(4, 'GET', '/own/third', { who: 'ann' }))).toBe(2);
      expect(counted(await statuses(7, 'POST', '/pay', { who: 'ann' }))).toBe(5);
      expect(await limiter.usage('api-key:ann', undefined, ['perMinute', 'perHour', 'payments'])).toMatchObject([
        { used: 13 },
        { used: 5 },
        { used: 5 },
      ]);
    });

    it('whoever calls, without a credential too', async () => {
      await start({});
      expect(counted(await statuses(5, 'GET', '/own/first'))).toBe(3);
    });

    it("unless an admin or a key's own limit says otherwise of the caller; what holds for everyone does not", async () => {
      await start({}, [
        { subject: 'api-key:ann', rule: 'payments', limit: 4, shadow: null },
        { subject: 'everyone', rule: 'payments', limit: 9, shadow: null },
      ]);
      expect(counted(await statuses(6, 'GET', '/own/first', { who: 'ann', own: '{"perHour":0}' }))).toBe(4);
      expect(counted(await statuses(6, 'GET', '/own/first', { who: 'bob', own: '{"payments":2}' }))).toBe(2);
      expect(counted(await statuses(6, 'GET', '/own/first', { who: 'cid' }))).toBe(3);
    });
  });

  it('leaves alone what @SkipThrottle names: every limit, or some, the route before its controller', async () => {
    await start({ MUTATION_RATE_LIMIT: '3' });
    const skipped = await send('POST', '/skipped/all', { who: 'ann' });
    expect(skipped.headers['ratelimit-policy']).toBeUndefined();
    expect(counted(await statuses(30, 'POST', '/skipped/all', { who: 'ann' }))).toBe(30);
    expect((await send('POST', '/skipped/some', { who: 'ann' })).headers['ratelimit-policy']).toBe(
      '"perSecond";q=10;w=1, "perMinute";q=100;w=60, "perHour";q=1000;w=3600',
    );
    expect(counted(await statuses(12, 'POST', '/skipped/some', { who: 'ann' }))).toBe(9);
  });

  it.each<[string, MethodDecorator]>([
    ['there is no limit "perYear"; name one of perSecond', nest.Throttle({ perYear: { limit: 1, ttl: 1000 } })],
    ['there is no limit "default"', nest.Throttle({ default: { limit: 1, ttl: 1000 } })],
    ['there is no limit "perYear"', nest.SkipThrottle({ perYear: true })],
    ['limit of "payments" must be a whole number from 1', Throttle({ payments: { limit: 0 } })],
    ['limit of "payments" must be a whole number from 1', nest.Throttle({ payments: { limit: () => 1 } })],
    ['ttl of "payments" must be a whole number from 1', Throttle({ payments: { ttl: 0.5 } })],
    ['a limit has no blockDuration here', nest.Throttle({ payments: { blockDuration: 1000 } })],
    ['a limit has no getTracker here', nest.Throttle({ payments: { getTracker: () => 'everybody' } })],
  ])('stops the start with "%s"', async (message, decorator) => {
    class Wrong {
      route(): void {}
    }
    Get()(Wrong.prototype, 'route', Object.getOwnPropertyDescriptor(Wrong.prototype, 'route')!);
    decorator(Wrong.prototype, 'route', Object.getOwnPropertyDescriptor(Wrong.prototype, 'route')!);
    Controller('wrong')(Wrong);
    await expect(start({}, [], [Wrong])).rejects.toThrow(`Wrong.route: ${message}`);
  });

  describe('takes repeats for free', () => {
    it('when their answer is remembered', async () => {
      await start({});
      expect(counted(await statuses(30, 'POST', '/pay', { who: 'ann', key: 'remembered' }))).toBe(30);
      expect(await limiter.usage('api-key:ann', undefined, ['payments'])).toMatchObject([{ used: 0 }]);
    });

    it('when only the database knows their answer, which is asked when they would be refused and not before', async () => {
      await start({});
      expect(counted(await statuses(5, 'POST', '/pay', { who: 'ann', key: 'new' }))).toBe(5);
      expect(answers.asked).toBe(0);
      expect((await send('POST', '/pay', { who: 'ann', key: 'stored' })).status).toBe(200);
      const refused = await send('POST', '/pay', { who: 'ann', key: 'new' });
      expect(refused.status).toBe(429);
      expect(refused.headers['retry-after']).toBeDefined();
      expect(answers.asked).toBe(2);
      expect((await send('POST', '/pay', { who: 'ann' })).status).toBe(429);
      expect(answers.asked).toBe(2);
    });

    it('but has not more than a hundred a second of one caller looked up', async () => {
      await start({ PAYMENT_RATE_LIMIT: '1' });
      const clock = jest.spyOn(performance, 'now').mockReturnValue(performance.now());
      try {
        await statuses(300, 'POST', '/pay', { who: 'ann', key: 'new' });
      } finally {
        clock.mockRestore();
      }
      expect(answers.asked).toBe(100);
    });

    it('and gives back what was charged before they were known, once', async () => {
      await start({});
      await statuses(3, 'POST', '/pay', { who: 'ann', key: 'new' });
      expect(counted(await statuses(5, 'POST', '/repeat', { who: 'ann', key: 'late' }))).toBe(5);
      expect(await limiter.usage('api-key:ann', undefined, ['perSecond', 'payments'])).toMatchObject([
        { used: 3 },
        { used: 3 },
      ]);
      expect(await metric(/^holdfast_rate_limit_decisions_total\{policy="payments",outcome="refunded"\} (\d+)$/m)).toBe(
        5,
      );
    });
  });
});
