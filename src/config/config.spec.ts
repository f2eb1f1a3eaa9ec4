import { describe, expect, it } from 'vitest';
import { type Config, loadConfig } from './config.js';

const SECRETS = { ENCRYPTION_KEY: 'a'.repeat(64), JWT_SECRET: 'a'.repeat(64) };
const REDIS_URL = 'redis://127.0.0.1:6379';

describe('where limits are counted', () => {
  it.each<[Config['rateLimitStore'], Record<string, string>]>([
    ['memory', {}],
    ['memory', { REPLICAS: '1' }],
    ['redis', { REDIS_URL }],
    ['redis', { REDIS_URL, REPLICAS: '3' }],
    ['postgres', { REPLICAS: '2' }],
    ['postgres', { REDIS_URL, RATE_LIMIT_STORE: 'postgres' }],
    ['memory', { REDIS_URL, RATE_LIMIT_STORE: 'memory' }],
  ])('is %s for %j', (store, environment) => {
    expect(loadConfig({ ...SECRETS, ...environment }).rateLimitStore).toBe(store);
  });

  it.each([
    ['RATE_LIMIT_STORE: memory is for one process', { RATE_LIMIT_STORE: 'memory', REPLICAS: '2' }],
    ['RATE_LIMIT_STORE: redis needs a REDIS_URL', { RATE_LIMIT_STORE: 'redis' }],
    ['RATE_LIMIT_STORE:', { RATE_LIMIT_STORE: 'mysql' }],
    ['RATE_LIMIT_SHADOW', { RATE_LIMIT_SHADOW: 'perSecond,perYear' }],
    ['RATE_LIMIT_TOKEN_BUCKET', { RATE_LIMIT_TOKEN_BUCKET: 'perYear' }],
    ['RATE_LIMIT_PER_SECOND', { RATE_LIMIT_PER_SECOND: '-1' }],
  ])('stops the start with "%s" for %j', (problem, environment) => {
    expect(() => loadConfig({ ...SECRETS, ...environment })).toThrow(problem);
  });
});
