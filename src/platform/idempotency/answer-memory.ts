import type { IdempotencyClaim, StoredAnswer } from './claim.js';

export interface RememberedAnswer extends StoredAnswer {
  /** Of the request that was answered. */
  readonly fingerprint: string;
}

/** The last moment of an answer belongs to the database, whose clock decides; ours follows it within milliseconds. */
const MARGIN_MS = 1000;
/** Of the entry itself, beside its texts. */
const OVERHEAD_BYTES = 400;
/** One answer takes up at most this part of the memory: of 16 MiB, that to a batch of 1,000 transfers. */
const LARGEST_SHARE = 1 / 8;

/** The answers this process has given of late. An answer never changes until it expires, so nothing makes it stale. */
export class AnswerMemory {
  /** From the least to the most recently used. */
  private readonly answers = new Map<string, RememberedAnswer>();
  private bytes = 0;

  /** @param now unix milliseconds, by the database's clock */
  constructor(
    private readonly maxBytes: number,
    private readonly now: () => number,
  ) {}

  get size(): number {
    return this.answers.size;
  }

  get({ scope, key }: IdempotencyClaim): RememberedAnswer | undefined {
    const name = `${scope}:${key}`;
    const answer = this.answers.get(name);
    if (answer === undefined) return undefined;
    this.answers.delete(name);
    if (answer.expiresAt.getTime() - MARGIN_MS <= this.now()) {
      this.bytes -= weight(name, answer);
      return undefined;
    }
    this.answers.set(name, answer);
    return answer;
  }

  put({ scope, key }: IdempotencyClaim, answer: RememberedAnswer): void {
    const name = `${scope}:${key}`;
    const bytes = weight(name, answer);
    if (bytes > this.maxBytes * LARGEST_SHARE) return;
    const before = this.answers.get(name);
    if (before !== undefined) {
      this.bytes -= weight(name, before);
      this.answers.delete(name);
    }
    this.answers.set(name, answer);
    this.bytes += bytes;
    for (const [oldest, forgotten] of this.answers) {
      if (this.bytes <= this.maxBytes) break;
      this.answers.delete(oldest);
      this.bytes -= weight(oldest, forgotten);
    }
  }
}

/** A text takes one byte a character when all of them are Latin-1, two when one is not. */
function weight(name: string, answer: RememberedAnswer): number {
  return OVERHEAD_BYTES + name.length + Buffer.byteLength(answer.body);
}
