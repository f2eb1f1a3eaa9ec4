import type { RedisClient } from '../../redis/index.js';
import { type Decision, decide } from '../decision.js';
import type { RateLimitStore } from '../rate-limit-store.js';
import type { Reading } from '../reading.js';
import type { Tier } from '../tier.js';

/**
 * The arithmetic of `sliding-window.ts` and `token-bucket.ts` inside Redis, so that reading, deciding and counting of
 * all tiers are one step, by Redis' own clock, so that replicas agree.
 * KEYS: one a tier. ARGV: 1 to take or 0 to look; then limit, window ms, slot ms, 1 for a token bucket, 1 for a shadow,
 * of each tier. A window is kept as { used, time, count, time, count, … }, a bucket as { when it is full again }.
 * Returns used, wait ms and clear ms of each tier.
 */
const TAKE = `
  local clock = redis.call('TIME')
  local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
  local stored = redis.call('MGET', unpack(KEYS))
  local answer, tiers, allowed = {}, {}, true
  for index = 1, #KEYS do
    local at = (index - 1) * 5 + 1
    local limit, window, slot = tonumber(ARGV[at + 1]), tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3])
    local bucket, shadow = ARGV[at + 4] == '1', ARGV[at + 5] == '1'
    local slots = stored[index] and cmsgpack.unpack(stored[index]) or {}
    local used, wait, clear = 0, 0, 0
    if bucket then
      local refill = window / limit
      clear = math.max(0, (slots[1] or 0) - now)
      used = math.min(limit, math.ceil(math.max(0, clear - 0.001) / refill))
      wait = clear + refill - window
      if wait <= 0.001 then wait = 0 end
      slots = { math.max(slots[1] or 0, now) + refill }
    else
      local reach, first = window + slot, 2
      used = slots[1] or 0
      while slots[first] and slots[first] + reach <= now do
        used = used - slots[first + 1]
        first = first + 2
      end
      if first > 2 then
        local live = { used }
        for position = first, #slots do live[#live + 1] = slots[position] end
        slots = live
      end
      local last = #slots - 1
      if used >= limit then
        local needed, position = used + 1 - limit, 0
        while needed > 0 do
          position = position + 2
          needed = needed - slots[position + 1]
        end
        wait = slots[position] + reach - now
      end
      if last > 1 then clear = slots[last] + reach - now end
      local time = slot == 0 and now or math.floor(now / slot) * slot
      if last > 1 and slots[last] >= time then
        slots[last + 1] = slots[last + 1] + 1
      else
        last = math.max(last, 0) + 2
        slots[last], slots[last + 1] = time, 1
      end
      slots[1] = used + 1
    end
    if wait > 0 and not shadow then allowed = false end
    tiers[index] = { slots, wait, window + slot }
    answer[index * 3 - 2], answer[index * 3 - 1], answer[index * 3] = used, math.ceil(wait - 0.001), math.ceil(clear)
  end
  if ARGV[1] == '1' and allowed then
    for index, tier in ipairs(tiers) do
      if tier[2] <= 0 then redis.call('SET', KEYS[index], cmsgpack.pack(tier[1]), 'PX', math.ceil(tier[3])) end
    end
  end
  return answer`;

/** KEYS: one a tier. ARGV: for each tier the ms in which a token comes back, or 0 for a window. */
const REFUND = `
  for index = 1, #KEYS do
    local stored, refill = redis.call('GET', KEYS[index]), tonumber(ARGV[index])
    if stored then
      local slots = cmsgpack.unpack(stored)
      if refill > 0 then
        slots[1] = slots[1] - refill
      else
        slots[1], slots[#slots] = slots[1] - 1, slots[#slots] - 1
        if slots[#slots] <= 0 then
          slots[#slots] = nil
          slots[#slots] = nil
        end
      end
      if slots[1] <= 0 then
        redis.call('DEL', KEYS[index])
      else
        redis.call('SET', KEYS[index], cmsgpack.pack(slots), 'KEEPTTL')
      end
    end
  end`;

interface WithScripts {
  holdfastTake(keys: number, ...keysAndArguments: (string | number)[]): Promise<number[]>;
  holdfastRefund(keys: number, ...keysAndArguments: (string | number)[]): Promise<void>;
}

/** One count for all replicas. */
export class RedisRateLimitStore implements RateLimitStore {
  private readonly redis: WithScripts;

  constructor(redis: RedisClient) {
    redis.defineCommand('holdfastTake', { lua: TAKE });
    redis.defineCommand('holdfastRefund', { lua: REFUND });
    this.redis = redis as unknown as WithScripts;
  }

  async take(subject: string, tiers: readonly Tier[]): Promise<Decision> {
    return decide(tiers, await this.run(subject, tiers, 1));
  }

  async refund(subject: string, tiers: readonly Tier[]): Promise<void> {
    const refills = tiers.map(({ algorithm, windowMs, limit }) =>
      algorithm === 'token-bucket' ? windowMs / limit : 0,
    );
    await this.redis.holdfastRefund(tiers.length, ...keysOf(subject, tiers), ...refills);
  }

  look(subject: string, tiers: readonly Tier[]): Promise<readonly Reading[]> {
    return this.run(subject, tiers, 0);
  }

  private async run(subject: string, tiers: readonly Tier[], charge: 0 | 1): Promise<Reading[]> {
    const parameters: (string | number)[] = keysOf(subject, tiers);
    parameters.push(charge);
    for (const { limit, windowMs, slotMs, algorithm, shadow } of tiers) {
      parameters.push(limit, windowMs, slotMs, algorithm === 'token-bucket' ? 1 : 0, shadow ? 1 : 0);
    }
    const numbers = await this.redis.holdfastTake(tiers.length, ...parameters);
    return tiers.map((_, index) => ({
      used: numbers[index * 3] ?? 0,
      waitMs: numbers[index * 3 + 1] ?? 0,
      clearMs: numbers[index * 3 + 2] ?? 0,
    }));
  }
}

/** The braces keep the tiers of a subject on one node of a cluster. */
function keysOf(subject: string, tiers: readonly Tier[]): string[] {
  return tiers.map(({ counter }) => `holdfast:rate:{${subject}}:${counter}`);
}
