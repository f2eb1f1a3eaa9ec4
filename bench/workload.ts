import { VoidRun } from './bench.js';
import type { LoadReport } from './load/protocol.js';
import type { Recipe } from './requests/recipe.js';
import { type CpuSeconds, machineCpuSeconds } from './stage/cpu-seconds.js';
import type { Stage } from './stage/stage.js';

/** What is sent to the server, and what must be true of its tables afterwards. */
export interface Traffic {
  /** What is counted, for each request: 1,000 for a batch of 1,000 transfers. */
  readonly perRequest: number;
  /** @param run names the requests; unlike any run before */
  recipe(run: string, requests: number): Recipe;
  /**
   * Called after each stretch.
   *
   * @param sent of the requests of this run, all of them answered as they should be
   * @throws VoidRun
   */
  verify(run: string, sent: number): Promise<void>;
}

/** One measured stretch, everything in it answered rightly and found in the tables. */
export interface Stretch {
  /** Per second, of what is counted. */
  rate: number;
  cpu: CpuSeconds;
  latency: LoadReport['latency'];
  /** Audit lines that were not chained yet when the last answer came. */
  unsealed: number;
}

/** Counted per second of the first stretch, whose rate nobody knows yet. */
const FIRST_GUESS = 15_000;
/** Later ones get this much more than the best rate so far. A stretch that runs out of requests ends early. */
const HEADROOM = 1.5;

/** Sends requests to the server in stretches, and verifies each of them. */
export class Workload {
  private best = FIRST_GUESS / HEADROOM;
  private run = '';

  constructor(
    private readonly stage: Stage,
    private readonly traffic: Traffic,
  ) {}

  /** Lets the machine come to rest and makes requests for so many seconds; the next call sends them. */
  async prepare(seconds: number): Promise<void> {
    // Eight letters and digits that grow with time.
    this.run = Date.now().toString(36).padStart(8, '0');
    const requests = Math.ceil((seconds * this.best * HEADROOM) / this.traffic.perRequest);
    await this.stage.database.settle();
    await this.stage.generator.prepare(this.traffic.recipe(this.run, requests));
  }

  /** @throws VoidRun when an answer was wrong, or the tables do not hold what was answered */
  fullSpeed(seconds: number): Promise<Stretch> {
    return this.measure(() => this.stage.generator.closedLoop(seconds));
  }

  /** @param rate per second, whatever the answers take */
  atRate(rate: number, seconds: number): Promise<Stretch> {
    return this.measure(() => this.stage.generator.openLoop(rate / this.traffic.perRequest, seconds));
  }

  private async measure(send: () => Promise<LoadReport>): Promise<Stretch> {
    const { database, server } = this.stage;
    const before = { all: machineCpuSeconds(), app: server.cpuSeconds(), database: database.cpuSeconds() };
    const report = await send();
    const app = server.cpuSeconds() - before.app;
    const ofDatabase = database.cpuSeconds() - before.database;
    const others = machineCpuSeconds() - before.all - report.cpuSeconds - app - ofDatabase;
    const cpu = { generator: report.cpuSeconds, app, database: ofDatabase, others: Math.max(0, others) };
    const unsealed = await database.unsealedLines();
    await this.traffic.verify(this.run, report.sent);
    const [complaint] = server.complaints();
    if (complaint) throw new VoidRun(`The server complained: ${complaint}`);
    const rate = (report.accepted * this.traffic.perRequest) / report.seconds;
    this.best = Math.max(this.best, rate);
    return { rate, cpu, latency: report.latency, unsealed };
  }
}
