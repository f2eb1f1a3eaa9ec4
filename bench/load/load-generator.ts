import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { VoidRun } from '../bench.js';
import type { Command, LoadReport, Reply, Target } from './protocol.js';
import type { Recipe } from '../requests/recipe.js';

const PROGRAM = fileURLToPath(new URL('generator-process.ts', import.meta.url));

/** Sends requests from a process of its own. */
export class LoadGenerator {
  private constructor(private readonly child: ChildProcess) {}

  static async start(target: Target): Promise<LoadGenerator> {
    const child = fork(PROGRAM, [JSON.stringify(target)]);
    await once(child, 'spawn');
    return new LoadGenerator(child);
  }

  /** Makes requests ready to be sent. */
  async prepare(recipe: Recipe): Promise<void> {
    await this.tell({ do: 'prepare', recipe });
  }

  /** @throws VoidRun when an answer was not the right one */
  async closedLoop(seconds: number): Promise<LoadReport> {
    return this.send({ do: 'closed loop', seconds });
  }

  /** @throws VoidRun when an answer was not the right one */
  async openLoop(rate: number, seconds: number): Promise<LoadReport> {
    return this.send({ do: 'open loop', rate, seconds });
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
  }

  private async send(command: Command): Promise<LoadReport> {
    const reply = await this.tell(command);
    if (!('report' in reply)) throw new Error('The load generator answered something else than a report');
    const { report } = reply;
    if (report.accepted !== report.sent) {
      throw new VoidRun(
        `${report.sent - report.accepted} of ${report.sent} requests failed: ${JSON.stringify(report.errors)}`,
      );
    }
    return report;
  }

  private async tell(command: Command): Promise<Exclude<Reply, { failed: string }>> {
    const ended = new AbortController();
    const exit = once(this.child, 'exit', { signal: ended.signal }).then(() => {
      throw new Error('The load generator ended');
    });
    try {
      this.child.send(command);
      const [reply]: Reply[] = await Promise.race([once(this.child, 'message', { signal: ended.signal }), exit]);
      if (reply === undefined || 'failed' in reply) throw new VoidRun(reply?.failed ?? 'no reply');
      return reply;
    } finally {
      ended.abort();
      exit.catch(() => undefined);
    }
  }
}
