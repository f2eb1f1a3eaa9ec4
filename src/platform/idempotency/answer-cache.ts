import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../config/index.js';
import { DatabaseClock } from '../clock/index.js';
import { REDIS, type RedisConnection } from '../redis/index.js';
import { RedisAnswers } from './adapters/redis-answers.js';
import { AnswerMemory, type RememberedAnswer } from './answer-memory.js';
import type { AnswerContent, IdempotencyClaim } from './claim.js';

const MEMORY_BYTES = 16 * 1024 * 1024;
const HOUR_MS = 3_600_000;

/**
 * Completed answers, to give them again without the database: in this process, and in Redis for all processes. Only
 * what has committed comes in, and it never changes. That something is not here means nothing.
 */
@Injectable()
export class AnswerCache {
  /** Whether there is a Redis to ask. */
  readonly isShared: boolean;
  private readonly memory: AnswerMemory;
  private readonly redis: RedisAnswers | null;
  private readonly ttlMs: number;

  constructor(
    @Inject(CONFIG) config: Pick<Config, 'encryptionKey' | 'IDEMPOTENCY_TTL_HOURS'>,
    @Inject(REDIS) redis: RedisConnection,
    private readonly clock: DatabaseClock,
  ) {
    this.memory = new AnswerMemory(MEMORY_BYTES, () => clock.now());
    this.redis = redis && new RedisAnswers(redis, config.encryptionKey, () => clock.now());
    this.isShared = redis !== null;
    this.ttlMs = config.IDEMPOTENCY_TTL_HOURS * HOUR_MS;
  }

  inMemory(claim: IdempotencyClaim): RememberedAnswer | undefined {
    return this.memory.get(claim);
  }

  /** Never fails: without Redis nothing is known. */
  async inRedis(claim: IdempotencyClaim): Promise<RememberedAnswer | undefined> {
    const answer = await this.redis?.get(claim);
    if (answer !== undefined) this.memory.put(claim, answer);
    return answer;
  }

  /**
   * To be called after the commit only.
   *
   * @param createdAt when the answer was stored, by the database's clock
   */
  remember(claim: IdempotencyClaim, { status, contentType, body }: AnswerContent, createdAt: Date): void {
    const expiresAt = new Date(createdAt.getTime() + this.ttlMs);
    const answer = { fingerprint: claim.fingerprint, status, contentType, body, createdAt, expiresAt };
    this.memory.put(claim, answer);
    this.redis?.put(claim, answer);
  }

  /** Whole seconds since then, by the database's clock. */
  ageOf(createdAt: Date): number {
    return Math.max(0, Math.floor((this.clock.now() - createdAt.getTime()) / 1000));
  }
}
