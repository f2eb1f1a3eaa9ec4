import type { LoadReport } from './protocol.js';

/** Counts what came back. */
export class Tally {
  accepted = 0;
  private readonly errors: LoadReport['errors'] = {};

  answer(status: number, body: string): void {
    if (status === 200 && body.includes('"status":"accepted"')) this.accepted += 1;
    else this.error(`answer ${status}`, body.slice(0, 300));
  }

  error(what: string, example: string): void {
    const known = (this.errors[what] ??= { count: 0, example });
    known.count += 1;
  }

  /** @param cpu since the start */
  report(sent: number, seconds: number, cpu: NodeJS.CpuUsage, latency: LoadReport['latency']): LoadReport {
    const { accepted, errors } = this;
    return { sent, accepted, errors, seconds, cpuSeconds: (cpu.user + cpu.system) / 1e6, latency };
  }
}
