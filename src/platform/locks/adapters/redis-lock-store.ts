import Redlock from 'redlock';
import type { DatabaseClock } from '../../clock/index.js';
import type { RedisClient } from '../../redis/index.js';
import { LocksUnavailableError } from '../lock.errors.js';
import type { HeldLock, LockStore } from '../lock-store.js';
import { RedisBallot, RedisNode } from './redis-ballot.js';
import { RENEWAL_VOTE, VOTE } from './redis-lock-scripts.js';

const TOKEN_REMEMBERED_MS = 86_400_000;

/** Redlock wants to know when a lock ends by the clock of this machine; whether it is still held, the servers say. */
const UNKNOWN_END = Infinity;

/**
 * Locks in Redis by redlock (https://redis.io/docs/latest/develop/use/patterns/distributed-locks): held is what more than
 * half of the servers have granted. One server forgets its locks when it restarts without a disk; of several, fewer than
 * half may.
 *
 * Fencing tokens are proposed from the database's clock and granted only above the last one a server has seen. Any two
 * majorities share a server, so the tokens of a key grow whatever the clocks say, as long as that server remembers.
 * Where it does not (a restart, FLUSHALL, eviction), they still grow because time does: a later holder gets a smaller
 * token only if it comes sooner after the earlier one than two processes disagree about the database's time, which is
 * half a round trip to it.
 */
export class RedisLockStore implements LockStore {
  private readonly nodes: readonly RedisNode[];
  private readonly majority: number;
  private lastToken = 0;

  /** @param clients one for each server; they must not replicate each other */
  constructor(
    clients: readonly RedisClient[],
    private readonly clock: Pick<DatabaseClock, 'now'>,
  ) {
    this.nodes = clients.map((client) => new RedisNode(client));
    this.majority = Math.floor(clients.length / 2) + 1;
  }

  /** @throws LocksUnavailableError (503) when half of the servers or more do not answer */
  async acquire(key: string, ttlMs: number): Promise<HeldLock | null> {
    const given = await this.propose(key, ttlMs);
    if (given !== 'too low') return given;
    // Another process's idea of the time is ahead of ours; now we know how far.
    const second = await this.propose(key, ttlMs);
    return second === 'too low' ? null : second;
  }

  /** @throws LocksUnavailableError (503) when the servers that do not answer could have confirmed it */
  async renew(lock: HeldLock, ttlMs: number): Promise<boolean> {
    const ballots = this.nodes.map((node) => new RedisBallot(node));
    const redlock = new Redlock(ballots, RENEWAL_VOTE);
    try {
      await redlock.extend(new Redlock.Lock(redlock, nameOf(lock.key), lock.owner, UNKNOWN_END, 0), ttlMs);
      return true;
    } catch (error) {
      if (!(error instanceof Redlock.LockError)) throw error;
      const refused = ballots.filter(({ answer }) => answer === 0).length;
      if (refused > this.nodes.length - this.majority) return false;
      throw unavailable(ballots);
    }
  }

  /** @throws LocksUnavailableError (503) when half of the servers or more do not answer */
  async release(lock: HeldLock): Promise<boolean> {
    const ballots = this.nodes.map((node) => new RedisBallot(node));
    const redlock = new Redlock(ballots, VOTE);
    try {
      await redlock.unlock(new Redlock.Lock(redlock, nameOf(lock.key), lock.owner, UNKNOWN_END, 0));
      return true;
    } catch (error) {
      if (!(error instanceof Redlock.LockError)) throw error;
      if (this.answered(ballots)) return false;
      throw unavailable(ballots);
    }
  }

  private async propose(key: string, ttlMs: number): Promise<HeldLock | 'too low' | null> {
    const token = Math.max(this.lastToken + 1, Math.floor(this.clock.now() * 1000));
    this.lastToken = token;
    const ballots = this.nodes.map((node) => new RedisBallot(node, [token, TOKEN_REMEMBERED_MS], node.mayBeAsked()));
    const redlock = new Redlock(ballots, VOTE);
    try {
      const { value } = await redlock.acquire(nameOf(key), ttlMs);
      return { key, owner: String(value), fencingToken: BigInt(token) };
    } catch (error) {
      if (!(error instanceof Redlock.LockError)) throw error;
      if (!this.answered(ballots)) throw unavailable(ballots);
      const seen = Math.max(...ballots.map(({ answer = 0 }) => -answer));
      if (seen <= 0) return null;
      this.lastToken = Math.max(this.lastToken, seen);
      return 'too low';
    }
  }

  private answered(ballots: readonly RedisBallot[]): boolean {
    return ballots.filter(({ answer }) => answer !== undefined).length >= this.majority;
  }
}

function nameOf(key: string): string {
  return `holdfast:lock:{${key}}`;
}

function unavailable(ballots: readonly RedisBallot[]): LocksUnavailableError {
  return new LocksUnavailableError(ballots.find(({ error }) => error !== undefined)?.error);
}
