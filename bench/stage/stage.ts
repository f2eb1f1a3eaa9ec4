import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LoadGenerator } from '../load/load-generator.js';
import { BenchDatabase } from './bench-database.js';
import { BenchRedis } from './bench-redis.js';
import { BenchServer } from './bench-server.js';

/** What a bench needs: a database, the server on it, and a process that sends. */
export interface Stage {
  /** Gone when the bench is over. */
  folder: string;
  database: BenchDatabase;
  server: BenchServer;
  generator: LoadGenerator;
  /** Null when there is none. */
  redisUrl: string | null;
  /** Stripe signs its events with it. */
  stripeSecret: string;
  /** Of an administrator. */
  apiKey: string;
  /** Whatever is pushed here is done when the bench is over, last first. */
  leave: (() => Promise<void> | void)[];
}

export interface StageOptions {
  /** Of the load generator. */
  connections: number;
  /** Of the server. */
  processes: number;
  /** Whether the server has a Redis. */
  redis: boolean;
  /** A TypeScript file to run as the server, see `BenchServer.start`. */
  entry?: string;
  /** For the server, beside what all benches have. */
  environment?: Readonly<Record<string, string>>;
}

/** The highest the configuration allows: the limiter counts and answers its headers, but refuses nobody. */
const NO_REFUSALS = '100000000';
const LIMITS = [
  'WEBHOOK_RATE_LIMIT_PER_MINUTE',
  'RATE_LIMIT_PER_SECOND',
  'RATE_LIMIT_PER_MINUTE',
  'RATE_LIMIT_PER_HOUR',
  'MUTATION_RATE_LIMIT',
];

/** Everything fresh, and nothing left behind: also after ctrl-C, because PostgreSQL would go on without us. */
export async function onStage<T>(options: StageOptions, use: (stage: Stage) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
  // As root PostgreSQL runs as another user, who has to enter.
  chmodSync(folder, 0o711);
  const leave: (() => Promise<void> | void)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const interrupted = interruption();
  try {
    return await Promise.race([interrupted.promise, setUp(folder, options, leave).then(use)]);
  } finally {
    interrupted.forget();
    for (const each of leave.toReversed()) await each();
  }
}

async function setUp(folder: string, options: StageOptions, leave: Stage['leave']): Promise<Stage> {
  const database = await BenchDatabase.start(folder);
  leave.push(() => database.stop());
  const redis = options.redis ? await BenchRedis.start(folder) : undefined;
  if (redis) leave.push(() => redis.stop());
  const stripeSecret = `whsec_${randomBytes(24).toString('hex')}`;
  const apiKey = `hf_live_${randomBytes(24).toString('hex')}`;
  const environment = {
    DATABASE_URL: database.url,
    PROCESSES: String(options.processes),
    STRIPE_WEBHOOK_SECRET: stripeSecret,
    BOOTSTRAP_API_KEY: apiKey,
    ...Object.fromEntries(LIMITS.map((name) => [name, NO_REFUSALS])),
    ...(redis && { REDIS_URL: redis.url }),
    ...options.environment,
  };
  const server = await BenchServer.start(folder, environment, options.entry);
  leave.push(() => server.stop());
  const generator = await LoadGenerator.start({ url: server.url, connections: options.connections });
  leave.push(() => generator.stop());
  return { folder, database, server, generator, redisUrl: redis?.url ?? null, stripeSecret, apiKey, leave };
}

function interruption() {
  let interrupt: (signal: NodeJS.Signals) => void = () => undefined;
  const promise = new Promise<never>((_, reject) => {
    interrupt = (signal) => reject(new Error(`${signal}: cleaning up`));
  });
  process.once('SIGINT', interrupt);
  process.once('SIGTERM', interrupt);
  const forget = () => {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
  };
  return { promise, forget };
}
