import { randomBytes } from 'node:crypto';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LoadGenerator } from '../load/load-generator.js';
import { BenchDatabase } from './bench-database.js';
import { BenchServer } from './bench-server.js';

/** What a bench needs: a database, the server on it, and a process that sends. */
export interface Stage {
  database: BenchDatabase;
  server: BenchServer;
  generator: LoadGenerator;
}

/** The highest the configuration allows: the limiter counts and answers its headers, but refuses nobody. */
const NO_REFUSALS = '100000000';

/** Everything fresh, and nothing left behind: also after ctrl-C, because PostgreSQL would go on without us. */
export async function onStage<T>(connections: number, use: (stage: Stage) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
  // As root PostgreSQL runs as another user, who has to enter.
  chmodSync(folder, 0o711);
  const leave: (() => Promise<void> | void)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const interrupted = interruption();
  try {
    return await Promise.race([interrupted.promise, setUp(folder, connections, leave).then(use)]);
  } finally {
    interrupted.forget();
    for (const each of leave.toReversed()) await each();
  }
}

async function setUp(folder: string, connections: number, leave: (() => Promise<void> | void)[]): Promise<Stage> {
  const database = await BenchDatabase.start(folder);
  leave.push(() => database.stop());
  const secret = `whsec_${randomBytes(24).toString('hex')}`;
  const server = await BenchServer.start(folder, {
    DATABASE_URL: database.url,
    STRIPE_WEBHOOK_SECRET: secret,
    WEBHOOK_RATE_LIMIT_PER_MINUTE: NO_REFUSALS,
  });
  leave.push(() => server.stop());
  const generator = await LoadGenerator.start({ url: server.url, secret, connections });
  leave.push(() => generator.stop());
  return { database, server, generator };
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
