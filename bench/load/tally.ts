import type { LoadReport } from './protocol.js';
import type { RequestSource } from '../requests/request-source.js';

/** Counts what came back. */
export class Tally {
  private accepted = 0;
  private readonly errors: LoadReport['errors'] = {};

  constructor(private readonly source: RequestSource) {}

  answer(index: number, status: number, head: string, body: string): void {
    if (this.source.accepts(index, status, head, body)) this.accepted += 1;
    else this.error(`answer ${status}`, body.slice(0, 300));
  }

  /** @param cpu since the start */
  report(sent: number, seconds: number, cpu: NodeJS.CpuUsage, latency: LoadReport['latency']): LoadReport {
    const { accepted, errors } = this;
    return { sent, accepted, errors, seconds, cpuSeconds: (cpu.user + cpu.system) / 1e6, latency };
  }

  private error(what: string, example: string): void {
    const known = (this.errors[what] ??= { count: 0, example });
    known.count += 1;
  }
}
