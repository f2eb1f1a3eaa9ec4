import { Controller, Get, type INestApplication } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { Test } from '@nestjs/testing';
import { getOptionsToken, getStorageToken, ThrottlerGuard } from '@nestjs/throttler';
import { afterEach, describe, expect, it } from '@jest/globals';
import { CONFIG, loadConfig } from '../../config/index.js';
import { MemoryRateLimitStore } from './adapters/memory-rate-limit-store.js';
import { RateLimitRules } from './rate-limit-rules.js';
import { RATE_LIMIT_STORE } from './rate-limiter.js';
import { Throttle } from './throttle.decorator.js';
import { StoreThrottlerStorage } from './throttler-storage.js';
import { throttlersOf } from './throttlers.js';

describe('StoreThrottlerStorage', () => {
  let now = 0;
  const storage = new StoreThrottlerStorage(new MemoryRateLimitStore(() => now));

  it('counts in a sliding window and does not charge what it refuses', async () => {
    const take = () => storage.increment('ann', 60_000, 2, 60_000, 'reports');
    expect(await take()).toEqual({ totalHits: 1, timeToExpire: 60, isBlocked: false, timeToBlockExpire: 0 });
    now += 20_000;
    expect(await take()).toEqual({ totalHits: 2, timeToExpire: 60, isBlocked: false, timeToBlockExpire: 0 });
    for (let each = 0; each < 3; each++) {
      expect(await take()).toEqual({ totalHits: 3, timeToExpire: 40, isBlocked: true, timeToBlockExpire: 40 });
    }
    now += 40_000;
    expect(await take()).toMatchObject({ totalHits: 2, isBlocked: false });
    expect(await take()).toMatchObject({ isBlocked: true, timeToBlockExpire: 20 });
  });

  it('counts each key and each throttler for itself', async () => {
    const one = { totalHits: 1, isBlocked: false };
    expect(await storage.increment('bob', 60_000, 1, 0, 'reports')).toMatchObject(one);
    expect(await storage.increment('cid', 60_000, 1, 0, 'reports')).toMatchObject(one);
    expect(await storage.increment('bob', 60_000, 1, 0, 'exports')).toMatchObject(one);
  });

  it('refuses everything at a limit of 0, and a block that it would not keep', async () => {
    expect(await storage.increment('dan', 1500, 0, 1500, 'reports')).toEqual({
      totalHits: 1,
      timeToExpire: 2,
      isBlocked: true,
      timeToBlockExpire: 2,
    });
    await expect(storage.increment('dan', 1000, 5, 2000, 'reports')).rejects.toThrow(
      'The blockDuration of the throttler "reports" (2000 ms) is longer than its ttl.',
    );
  });
});

@Controller()
class Routes {
  @Get('read')
  read() {
    return {};
  }

  @Get('pay')
  @Throttle({ payments: {} })
  pay() {
    return {};
  }
}

describe("ThrottlerGuard as it is, with our module's options", () => {
  let app: INestApplication;
  afterEach(() => app.close());

  it('limits a route by the rules that apply to it, in our store', async () => {
    const environment = { RATE_LIMIT_PER_SECOND: '4', PAYMENT_RATE_LIMIT: '2', RATE_LIMIT_PER_HOUR: '0' };
    const testing = await Test.createTestingModule({
      controllers: [Routes],
      providers: [
        {
          provide: CONFIG,
          useValue: loadConfig({ ENCRYPTION_KEY: 'a'.repeat(64), JWT_SECRET: 'a'.repeat(64), ...environment }),
        },
        { provide: RATE_LIMIT_STORE, useValue: new MemoryRateLimitStore(() => 0) },
        RateLimitRules,
        { provide: getOptionsToken(), inject: [RateLimitRules], useFactory: throttlersOf },
        { provide: getStorageToken(), useClass: StoreThrottlerStorage },
        { provide: APP_GUARD, useClass: ThrottlerGuard },
      ],
    }).compile();
    const fastify = testing.createNestApplication<NestFastifyApplication>(new FastifyAdapter(), { logger: false });
    app = fastify;
    await fastify.init();
    const statuses = async (url: string) => {
      const all = [];
      for (let each = 0; each < 6; each++) all.push((await fastify.inject({ method: 'GET', url })).statusCode);
      return all;
    };
    expect(await statuses('/read')).toEqual([200, 200, 200, 200, 429, 429]);
    expect(await statuses('/pay')).toEqual([200, 200, 429, 429, 429, 429]);
  });
});
