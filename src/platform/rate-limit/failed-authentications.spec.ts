import type { FastifyReply } from 'fastify';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { DatabaseClock } from '../clock/index.js';
import { Metrics } from '../metrics/index.js';
import { FailedAuthentications } from './failed-authentications.js';
import { RateLimitMetrics } from './rate-limit-metrics.js';
import { RateLimitedError } from './rate-limited.error.js';

const clock = { now: () => 1_700_000_000_000 } as DatabaseClock;

let headers: Record<string, unknown>;
const reply = {
  headers(fields: Record<string, unknown>) {
    Object.assign(headers, fields);
    return this;
  },
} as unknown as FastifyReply;
beforeEach(() => void (headers = {}));

function failures(limit: number): FailedAuthentications {
  return new FailedAuthentications({ AUTH_FAILURE_RATE_LIMIT: limit }, clock, new RateLimitMetrics(new Metrics()));
}

describe('failed authentications', () => {
  it('are let happen as often as is configured, then answered 429 with the headers of a limit', () => {
    const failed = failures(3);
    for (let time = 0; time < 3; time++) failed.record('192.0.2.1', reply);
    expect(headers).toEqual({});
    expect(() => failed.record('192.0.2.1', reply)).toThrow(RateLimitedError);
    expect(headers).toMatchObject({ 'x-ratelimit-limit': '3', 'ratelimit-policy': '"authFailures";q=3;w=60' });
  });

  it('of one address are nothing to another, but all of an IPv6 network are one', () => {
    const failed = failures(1);
    failed.record('2001:db8::1', reply);
    expect(() => failed.record('2001:db8:0:0:ffff::2', reply)).toThrow(RateLimitedError);
    failed.record('2001:db8:0:1::1', reply);
    failed.record('192.0.2.1', reply);
  });

  it('are not limited by 0', () => {
    const failed = failures(0);
    for (let time = 0; time < 1000; time++) failed.record('192.0.2.1', reply);
    expect(headers).toEqual({});
  });
});
