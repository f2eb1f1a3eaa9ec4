import { VoidRun } from '../bench.js';
import type { LoadReport } from '../load/protocol.js';
import { type CpuSeconds, machineCpuSeconds } from '../stage/cpu-seconds.js';
import type { Stage } from '../stage/stage.js';
import { verifyIntake } from './verify-intake.js';

/** One measured stretch of webhooks, all of them accepted and found in the tables. */
export interface Stretch {
  /** Accepted per second. */
  rate: number;
  cpu: CpuSeconds;
  latency: LoadReport['latency'];
  /** Audit lines that were not chained yet when the last answer came. */
  unsealed: number;
}

/** Events signed per second of the first stretch, whose rate nobody knows yet. */
const FIRST_GUESS = 15_000;
/** Later ones get this much more than the best rate so far. A stretch that runs out of events ends early. */
const HEADROOM = 1.5;

/** Sends signed events to the server in stretches, and verifies each of them. */
export class Intake {
  private accepted = 0;
  private best = FIRST_GUESS / HEADROOM;
  private run = '';

  constructor(private readonly stage: Stage) {}

  /** Lets the machine come to rest and signs events for so many seconds; the next call sends them. */
  async prepare(seconds: number): Promise<void> {
    // Eight letters and digits that grow with time.
    this.run = Date.now().toString(36).padStart(8, '0');
    await this.stage.database.settle();
    await this.stage.generator.sign(this.run, Math.ceil(seconds * this.best * HEADROOM));
  }

  /** @throws VoidRun when an event was refused, lost or stored twice */
  fullSpeed(seconds: number): Promise<Stretch> {
    return this.measure(() => this.stage.generator.closedLoop(seconds));
  }

  /** @param rate events per second, whatever the answers take */
  atRate(rate: number, seconds: number): Promise<Stretch> {
    return this.measure(() => this.stage.generator.openLoop(rate, seconds));
  }

  private async measure(send: () => Promise<LoadReport>): Promise<Stretch> {
    const { database, server } = this.stage;
    const before = { all: machineCpuSeconds(), app: server.cpuSeconds(), database: database.cpuSeconds() };
    const report = await send();
    const app = server.cpuSeconds() - before.app;
    const ofDatabase = database.cpuSeconds() - before.database;
    const others = machineCpuSeconds() - before.all - report.cpuSeconds - app - ofDatabase;
    const cpu = { generator: report.cpuSeconds, app, database: ofDatabase, others: Math.max(0, others) };
    const [waiting] = await database.query<{ lines: number }>(
      'SELECT count(*)::float8 AS lines FROM audit_log WHERE hash IS NULL',
    );
    this.accepted += report.accepted;
    await verifyIntake(database, this.run, report.sent, this.accepted);
    const [complaint] = server.complaints();
    if (complaint) throw new VoidRun(`The server complained: ${complaint}`);
    const rate = report.accepted / report.seconds;
    this.best = Math.max(this.best, rate);
    return { rate, cpu, latency: report.latency, unsealed: waiting?.lines ?? 0 };
  }
}
