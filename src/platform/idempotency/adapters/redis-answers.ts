import { Logger } from '@nestjs/common';
import type { RedisClient } from '../../redis/index.js';
import type { RememberedAnswer } from '../answer-memory.js';
import type { IdempotencyClaim } from '../claim.js';
import { Probation } from './probation.js';
import { AnswerSeal } from './sealed-answer.js';

/** Larger ones are left to the database. */
const MAX_LENGTH = 64 * 1024;
/** Repeats come within minutes: at 1,000 new keys a second an hour is about 3 GB, a day would be 70 GB. */
const MAX_TTL_MS = 3_600_000;
/** What comes in faster than it can be written is not worth remembering. */
const MAX_UNWRITTEN = 1000;

interface Asked {
  readonly name: string;
  readonly resolve: (answer: RememberedAnswer | undefined) => void;
}

interface Unwritten {
  readonly name: string;
  readonly answer: RememberedAnswer;
}

/**
 * Answers in Redis, for all processes. Whatever Redis does, nothing here fails or queues up: an answer that cannot be read
 * in time is not known, one that cannot be written is forgotten.
 *
 * All questions of one turn of the event loop go out as one command, and so do all writes.
 */
export class RedisAnswers {
  private readonly logger = new Logger(RedisAnswers.name);
  private readonly seal: AnswerSeal;
  private readonly reading = new Probation();
  /** Apart from reading: a Redis that is full, or a replica, refuses writes and answers reads. */
  private readonly writing = new Probation();
  private asked: Asked[] = [];
  private unwritten: Unwritten[] = [];
  private isWriting = false;
  private hasWarned = false;

  /** @param now unix milliseconds, by the database's clock */
  constructor(
    private readonly redis: RedisClient,
    encryptionKey: Buffer,
    private readonly now: () => number,
  ) {
    this.seal = new AnswerSeal(encryptionKey);
  }

  /** Never rejects. */
  get(claim: IdempotencyClaim): Promise<RememberedAnswer | undefined> {
    return new Promise((resolve) => {
      if (this.asked.push({ name: nameOf(claim), resolve }) === 1) setImmediate(() => void this.ask());
    });
  }

  /** Returns at once, and never throws. */
  put(claim: IdempotencyClaim, answer: RememberedAnswer): void {
    if (answer.body.length > MAX_LENGTH || this.unwritten.length >= MAX_UNWRITTEN) return;
    this.unwritten.push({ name: nameOf(claim), answer });
    if (this.isWriting) return;
    this.isWriting = true;
    setImmediate(() => void this.write());
  }

  private async ask(): Promise<void> {
    const asked = this.asked;
    this.asked = [];
    const values = this.reading.admits() ? await this.read(asked.map(({ name }) => name)) : undefined;
    for (const [at, { name, resolve }] of asked.entries()) {
      const value = values?.[at];
      resolve(typeof value === 'string' ? this.open(name, value) : undefined);
    }
  }

  private async read(names: string[]): Promise<(string | null)[] | undefined> {
    try {
      const values = await this.redis.mget(names);
      this.reading.succeeded();
      return values;
    } catch {
      this.reading.failed();
      return undefined;
    }
  }

  private open(name: string, value: string): RememberedAnswer | undefined {
    const answer = this.seal.open(name, value);
    if (answer === undefined) this.warnOnce();
    return answer && answer.expiresAt.getTime() > this.now() ? answer : undefined;
  }

  private warnOnce(): void {
    if (!this.hasWarned)
      this.logger.warn('An answer in Redis is not ours, or sealed under another ENCRYPTION_KEY: ignored');
    this.hasWarned = true;
  }

  private async write(): Promise<void> {
    const unwritten = this.unwritten;
    this.unwritten = [];
    if (this.writing.admits()) await this.set(unwritten);
    this.isWriting = this.unwritten.length > 0;
    if (this.isWriting) setImmediate(() => void this.write());
  }

  private async set(unwritten: readonly Unwritten[]): Promise<void> {
    const commands = this.redis.pipeline();
    for (const { name, answer } of unwritten) {
      const ttlMs = Math.min(MAX_TTL_MS, Math.floor(answer.expiresAt.getTime() - this.now()));
      if (ttlMs > 0) commands.set(name, this.seal.seal(name, answer), 'PX', ttlMs);
    }
    try {
      const results = await commands.exec();
      if (results?.some(([error]) => error !== null)) this.writing.failed();
      else this.writing.succeeded();
    } catch {
      this.writing.failed();
    }
  }
}

/** A key has no colon in it, so no two claims share a name. */
function nameOf({ scope, key }: IdempotencyClaim): string {
  return `holdfast:idempotency:${scope}:${key}`;
}
