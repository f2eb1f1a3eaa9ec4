import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';

import { redisServer } from '../../scripts/install-redis.mjs';
import { freePort } from './free-port.js';
import { makeTempFolder, removeTempFolder } from './temp-folder.js';
import { waitFor } from './wait-for.js';

/** The Redis that all test files share. Nobody may flush or kill it; start a `TestRedis` of your own for that. */
export function sharedRedisUrl(): string {
  const url = process.env['TEST_REDIS_URL'];
  if (!url) throw new Error('TEST_REDIS_URL is not set: the tests are run by npm test.');
  return url;
}

/** A real redis-server of the test's own, on 127.0.0.1, that keeps nothing on disk. */
export class TestRedis {
  private child: ChildProcess | undefined;

  private constructor(
    readonly port: number,
    private readonly folder: string,
  ) {}

  static async start(): Promise<TestRedis> {
    const redis = new TestRedis(await freePort(), makeTempFolder('redis'));
    await redis.restart();
    return redis;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Starts it again, empty, on the same port. */
  async restart(): Promise<void> {
    const args = ['--port', String(this.port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
    const child = spawn(redisServer(), [...args, '--dir', this.folder], { stdio: 'ignore' });
    this.child = child;
    await waitFor(() => child.exitCode !== null || answersPing(this.port), {
      what: `redis-server on port ${this.port}`,
    });
    if (child.exitCode !== null) throw new Error(`redis-server ended with code ${child.exitCode}`);
  }

  /** kill -9: connections break, data is gone, and it stays down until `restart`. */
  async kill(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Holds it still, sockets open, so that commands hang; `resume` goes on. */
  freeze(): void {
    this.child?.kill('SIGSTOP');
  }

  resume(): void {
    this.child?.kill('SIGCONT');
  }

  async stop(): Promise<void> {
    this.resume();
    await this.end('SIGTERM');
    removeTempFolder(this.folder);
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
}

function answersPing(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.setTimeout(1_000, () => socket.destroy());
    socket.once('data', (data) => {
      resolve(data.toString().startsWith('+PONG'));
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}
