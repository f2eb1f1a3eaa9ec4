import type { RedisClient } from '../redis/index.js';
import type { RateLimitStore } from './rate-limit-store.js';
import { decide, type RateDecision, type RateLimit } from './sliding-window.js';

/**
 * The same arithmetic as `sliding-window.ts`, inside Redis so that reading, deciding and counting are one step, by
 * Redis' own clock so that replicas agree.
 * KEYS: the counter's hash. ARGV: limit, window in ms. Returns current and previous count before this request, and ms
 * since the window began.
 */
const TAKE = `
  local limit = tonumber(ARGV[1])
  local window_ms = tonumber(ARGV[2])
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local window = math.floor(now / window_ms)
  local elapsed = now - window * window_ms
  local stored = redis.call('HMGET', KEYS[1], 'window', 'current', 'previous')
  local at, current, previous = tonumber(stored[1]), tonumber(stored[2]) or 0, tonumber(stored[3]) or 0
  if at ~= window then
    previous = (at == window - 1) and current or 0
    current = 0
  end
  if current + previous * (1 - elapsed / window_ms) + 1 <= limit + 1e-6 then
    redis.call('HSET', KEYS[1], 'window', window, 'current', current + 1, 'previous', previous)
    redis.call('PEXPIRE', KEYS[1], window_ms * 2)
  end
  return { current, previous, elapsed }`;

interface WithTake {
  holdfastTake(key: string, limit: number, windowMs: number): Promise<[number, number, number]>;
}

/** One count for all replicas. */
export class RedisRateLimitStore implements RateLimitStore {
  private readonly redis: WithTake;

  constructor(redis: RedisClient) {
    redis.defineCommand('holdfastTake', { numberOfKeys: 1, lua: TAKE });
    this.redis = redis as unknown as WithTake;
  }

  async take(key: string, rule: RateLimit): Promise<RateDecision> {
    const counts = await this.redis.holdfastTake(`holdfast:rate:${key}`, rule.limit, rule.windowMs);
    const [current, previous, elapsed] = counts;
    return decide(rule, { current, previous }, elapsed);
  }
}
