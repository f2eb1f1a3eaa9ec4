import { randomBytes } from 'node:crypto';
import type { DynamicModule } from '@nestjs/common';
import { Test, type TestingModule } from '@nestjs/testing';
import { DataSource } from 'typeorm';
import { ConfigModule, loadConfig } from '../../src/config/index.js';
import { DatabaseModule } from '../../src/platform/database/index.js';
import { EncryptionModule } from '../../src/platform/encryption/index.js';
import { JOB_TIMINGS, Jobs, JobsModule, type JobTimings, type NewJob } from '../../src/platform/jobs/index.js';
import { JsonLogger } from '../../src/platform/logging/index.js';
import { Metrics, MetricsModule } from '../../src/platform/metrics/index.js';
import { ScheduleModule } from '../../src/platform/schedule/index.js';
import { TransactionModule, Transactor } from '../../src/platform/transaction/index.js';
import { jsonObject } from './http-answer.js';
import { Scrape } from './metrics.js';

export const JOB_KEY = randomBytes(32).toString('hex');

/** Milliseconds: as in production, only shorter. */
const TIMINGS: JobTimings = {
  poll: 10,
  lease: 1500,
  sweep: 20,
  drain: 2000,
  afterOutage: 20,
  afterUnreadable: 50,
};

export interface JobProcessOptions {
  timings?: Partial<JobTimings>;
  env?: Record<string, string>;
  /** Modules beside those of the jobs. */
  modules?: DynamicModule['imports'];
  overrides?: readonly { token: symbol; value: unknown }[];
}

/** One process that works on jobs, in all but that it shares this one's memory. */
export class JobProcess {
  private ended = false;

  private constructor(private readonly module: TestingModule) {}

  /** @param register adds the handlers, before the worker starts */
  static async start(
    databaseUrl: string,
    register: (jobs: Jobs) => void = () => undefined,
    { timings, env, modules = [], overrides = [] }: JobProcessOptions = {},
  ): Promise<JobProcess> {
    const config = loadConfig({ ENCRYPTION_KEY: JOB_KEY, JWT_SECRET: 'j'.repeat(32), ...env });
    let builder = Test.createTestingModule({
      imports: [
        ConfigModule.forRoot(config),
        MetricsModule,
        DatabaseModule.forRoot(databaseUrl, { entities: [], migrations: [] }),
        TransactionModule,
        EncryptionModule,
        ScheduleModule,
        JobsModule,
        ...modules,
      ],
    })
      .overrideProvider(JOB_TIMINGS)
      .useValue({ ...TIMINGS, ...timings });
    for (const { token, value } of overrides) builder = builder.overrideProvider(token).useValue(value);
    if (logger) builder = builder.setLogger(logger);
    const module = await builder.compile();
    register(module.get(Jobs));
    return new JobProcess(await module.init());
  }

  get<T>(token: new (...parameters: never[]) => T): T {
    return this.module.get<T>(token);
  }

  /** In a transaction of its own. */
  enqueue(...jobs: NewJob[]): Promise<string[]> {
    return this.get(Transactor).run((tx) => this.get(Jobs).enqueue(tx, jobs));
  }

  query<Row>(sql: string, parameters: unknown[] = []): Promise<Row[]> {
    return this.get(DataSource).query<Row[]>(sql, parameters);
  }

  /** The value of a metric; 0 when it has none. */
  async count(name: string, labels: Record<string, string> = {}): Promise<number> {
    return new Scrape(await this.get(Metrics).render()).value(name, labels) ?? 0;
  }

  /** As on SIGTERM. */
  async stop(): Promise<void> {
    if (this.ended) return;
    this.ended = true;
    await this.module.close();
    await this.get(DataSource).destroy();
  }
}

let logger: JsonLogger | undefined;

/** Takes down what is logged by the processes started from now on, as it would be printed. */
export function recordLog(): { lines: Record<string, unknown>[]; text: () => string } {
  const written: string[] = [];
  const lines: Record<string, unknown>[] = [];
  logger = new JsonLogger('trace', {
    write(line: string) {
      written.push(line);
      lines.push(jsonObject(line));
    },
  });
  return { lines, text: () => written.join('') };
}
