import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { redisServer } from '../../scripts/install-redis.mjs';
import { freePort } from '../../test/support/free-port.js';

const START_TIMEOUT_MS = 10_000;

/** A redis-server of our own that keeps nothing on disk, unless it is to be durable. */
export class BenchRedis {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  static async start(folder: string, { durable = false } = {}): Promise<BenchRedis> {
    const port = await freePort();
    const appending = durable
      ? ['--appendonly', 'yes', '--appendfsync', 'always', '--dir', folder]
      : ['--appendonly', 'no'];
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', ...appending];
    const log = join(folder, `redis-${port}.log`);
    const child = spawn(redisServer(), [...args, '--logfile', log], { stdio: 'ignore' });
    const redis = new BenchRedis(child, `redis://127.0.0.1:${port}`);
    try {
      await redis.untilReady();
    } catch (error) {
      await redis.stop();
      throw error;
    }
    return redis;
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGTERM');
    await once(this.child, 'exit');
  }

  private async untilReady(): Promise<void> {
    const client = new Redis(this.url, { retryStrategy: () => 50, maxRetriesPerRequest: null });
    // It is tried again until the server listens.
    client.on('error', () => undefined);
    const tooLate = delay(START_TIMEOUT_MS, 'too late', { ref: false });
    const answer = await Promise.race([client.ping(), tooLate]);
    client.disconnect();
    if (answer !== 'PONG') throw new Error('redis-server did not start');
  }
}
