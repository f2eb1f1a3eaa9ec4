import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Queue } from 'bullmq';
import type { BenchDatabase } from '../stage/bench-database.js';
import type { BenchRedis } from '../stage/bench-redis.js';
import { familyCpuSeconds } from '../stage/cpu-seconds.js';

export const QUEUE = 'bench';
/** As many as a server of ours has connections. */
export const CONCURRENCY = 20;
const ADDED_AT_ONCE = 1000;

export interface WorkerOptions {
  readonly databaseUrl: string;
  readonly redisPort: number;
}

/** BullMQ and a worker of it, in a process of its own. */
export class BullMq {
  private constructor(
    private readonly queue: Queue,
    private readonly child: ChildProcess,
  ) {}

  static async start(database: BenchDatabase, redis: BenchRedis): Promise<BullMq> {
    const redisPort = Number(new URL(redis.url).port);
    const options: WorkerOptions = { databaseUrl: database.url, redisPort };
    const queue = new Queue(QUEUE, { connection: { host: '127.0.0.1', port: redisPort } });
    const child = fork(fileURLToPath(new URL('bullmq-worker.ts', import.meta.url)), [JSON.stringify(options)]);
    await once(child, 'message');
    return new BullMq(queue, child);
  }

  /** Puts jobs into the queue; nobody works on them yet. */
  async fill(eventIds: readonly string[]): Promise<void> {
    await this.queue.pause();
    for (let at = 0; at < eventIds.length; at += ADDED_AT_ONCE) {
      await this.queue.addBulk(
        eventIds.slice(at, at + ADDED_AT_ONCE).map((eventId) => ({ name: 'event', data: { eventId } })),
      );
    }
  }

  async begin(): Promise<void> {
    await this.queue.resume();
  }

  cpuSeconds(): number {
    return familyCpuSeconds(this.child.pid ?? 0);
  }

  async stop(): Promise<void> {
    await this.queue.close();
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }
}
