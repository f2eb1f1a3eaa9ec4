import type Redlock from 'redlock';
import type { RedisClient } from '../../redis/index.js';
import { scriptOf } from './redis-lock-scripts.js';

/** A server that hangs must not slow every vote by its time-out: while it fails it is asked this often, by one vote. */
const PROBE_MS = 500;

/** One Redis server that takes part in votes. */
export class RedisNode {
  private failing = false;
  private probeAt = 0;

  constructor(readonly client: RedisClient) {}

  /** Whether the next vote asks this server. */
  mayBeAsked(): boolean {
    if (!this.failing) return true;
    const now = performance.now();
    if (now < this.probeAt) return false;
    this.probeAt = now + PROBE_MS;
    return true;
  }

  answered(): void {
    this.failing = false;
  }

  failed(): void {
    this.failing = true;
    this.probeAt = performance.now() + PROBE_MS;
  }
}

type Callback = (error: Error | null, result?: unknown) => void;

/**
 * One server during one vote, in the shape redlock asks of a client. Redlock reports a lock that is held and servers that
 * do not answer with the same error; this remembers which it was.
 */
export class RedisBallot implements Redlock.CompatibleRedisClient {
  /** What the server's script returned to the question of this vote; undefined when no answer came. */
  answer: number | undefined;
  error: Error | undefined;
  private asked = false;

  /**
   * @param more arguments for the scripts beside those that redlock gives them
   * @param open false: the server is not asked, as if it did not answer
   */
  constructor(
    private readonly node: RedisNode,
    private readonly more: readonly (string | number)[] = [],
    private readonly open = true,
  ) {}

  /**
   * Sends the script itself. By its hash alone a server that has just started would not know it, and an answer that says
   * so after our time-out would leave a lock lying about that nobody holds.
   */
  evalsha(hash: string, args: Redlock.EvalArg[], callback: Callback): void {
    this.eval([scriptOf(hash), ...args], callback);
  }

  eval([script = '', keys = 1, ...args]: Redlock.EvalArg[], callback: Callback = () => undefined): void {
    if (!this.open) {
      callback(new Error('This Redis failed a moment ago'));
      return;
    }
    // What redlock says to a server after that takes back what was given in a lost vote.
    const isQuestion = !this.asked;
    this.asked = true;
    void this.node.client.eval(String(script), keys, ...args, ...this.more, (error, result) => {
      if (error) {
        this.error ??= error;
        this.node.failed();
      } else {
        if (isQuestion) this.answer = Number(result);
        this.node.answered();
      }
      callback(error ?? null, result);
    });
  }
}
