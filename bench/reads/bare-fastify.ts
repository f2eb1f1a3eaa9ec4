import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { NODE_FLAGS } from '../stage/bench-server.js';

const PROGRAM = fileURLToPath(new URL('bare-fastify-process.ts', import.meta.url));

/** Fastify and one query per request, nothing else: no credentials, limits, request ids or security headers. */
export class BareFastify {
  private constructor(
    private readonly child: ChildProcess,
    readonly url: string,
  ) {}

  static async start(databaseUrl: string): Promise<BareFastify> {
    const child = fork(PROGRAM, [databaseUrl], {
      execArgv: [...process.execArgv, ...NODE_FLAGS],
      env: { ...process.env, NODE_ENV: 'production' },
    });
    const exit = once(child, 'exit').then(() => {
      throw new Error('The bare Fastify ended');
    });
    const [url]: [string] = (await Promise.race([once(child, 'message'), exit])) as [string];
    exit.catch(() => undefined);
    return new BareFastify(child, url);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }
}
