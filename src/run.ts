import type { DynamicModule, Type } from '@nestjs/common';
import { type Config, ConfigError } from './config/index.js';
import { JsonLogger } from './platform/logging/index.js';
import { FAILED, SUPERVISOR, READY } from './platform/processes/index.js';
import { startProcesses } from './start-processes.js';
import { type RunningServer, startServer } from './start-server.js';
import { welcome } from './welcome.js';

/** Beyond what a clean stop may take: something hangs, and a supervisor waits. */
const LAST_RESORT_MS = 15_000;
const SAME_REQUEST_MS = 1500;

/**
 * The life of the server process: start, say where everything is, run until SIGINT or SIGTERM, stop cleanly. What
 * prevents a start is told in one line and ends the process with exit code 1.
 *
 * @param extra modules to load beside Holdfast's own
 */
export async function run(readConfig: () => Config, extra: (Type | DynamicModule)[] = []): Promise<void> {
  let config: Config;
  try {
    config = readConfig();
  } catch (error) {
    return fail(error instanceof ConfigError ? error.message : explain(error));
  }
  const logger = new JsonLogger(config.LOG_LEVEL);
  const stop = stopRequest();
  let server: RunningServer;
  try {
    server = await (startsOthers(config) ? startProcesses(config, logger) : startServer(config, logger, extra));
  } catch (error) {
    logger.debug(error instanceof Error ? { msg: 'The start failed', err: error } : String(error));
    // Ctrl-C reaches all processes at once: those that end while they start do what was asked.
    if (startsOthers(config) && stop.isRequested) return logger.pino.flush(() => process.exit());
    return fail(explain(error, config));
  }
  announce(server, config, logger);
  process.on('unhandledRejection', (error) => logger.error({ msg: 'Unhandled rejection', err: error }));

  const signal = await stop.requested;
  logger.log(`${signal}: finishing what is in flight`);
  setTimeout(() => process.exit(1), config.SHUTDOWN_TIMEOUT_MS + LAST_RESORT_MS).unref();
  try {
    await server.stop();
    logger.log('stopped');
  } catch (error) {
    logger.error({ msg: 'The shutdown was not clean', err: error });
    process.exitCode = 1;
  }
  logger.pino.flush(() => process.exit());
}

/** With `PROCESSES` this process starts the others and serves nothing itself; each of them comes by here too. */
function startsOthers(config: Config): boolean {
  return config.PROCESSES > 1 && SUPERVISOR === null;
}

function announce(server: RunningServer, config: Config, logger: JsonLogger): void {
  const { url, adminKey } = server;
  if (SUPERVISOR !== null) {
    logger.log({ msg: 'serving', url });
    void SUPERVISOR.ask(READY, { url, adminKey });
    return;
  }
  if (!config.isProduction) process.stdout.write(welcome(server, config));
  logger.log({ msg: 'ready', url, role: config.role, pid: process.pid, processes: config.PROCESSES });
}

/**
 * The first signal asks for a clean stop; one that comes later does not wait for it. npm passes ctrl-C on to a process
 * that the terminal has told already, so what comes within a moment is the same request again; and one of several
 * processes is told by its supervisor as well, whose end is the end of its patience.
 */
function stopRequest(): { readonly requested: Promise<NodeJS.Signals>; readonly isRequested: boolean } {
  let askedAt: number | undefined;
  const requested = new Promise<NodeJS.Signals>((resolve) => {
    const onSignal = (signal: NodeJS.Signals) => {
      const isImpatient = askedAt !== undefined && performance.now() - askedAt > SAME_REQUEST_MS;
      if (isImpatient && SUPERVISOR === null) process.exit(130);
      askedAt ??= performance.now();
      resolve(signal);
    };
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  });
  return {
    requested,
    get isRequested() {
      return askedAt !== undefined;
    },
  };
}

function fail(message: string): void {
  if (SUPERVISOR !== null) void SUPERVISOR.ask(FAILED, message).finally(() => process.exit(1));
  else process.stderr.write(`${message}\n`, () => process.exit(1));
}

function explain(error: unknown, config?: Config): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${config?.PORT} on ${config?.HOST} is taken. Stop what uses it, or start with another: PORT=3001 npm start`;
    case 'EADDRNOTAVAIL':
      return `HOST ${config?.HOST} is not an address of this machine. Use 127.0.0.1, or 0.0.0.0 for all.`;
    case 'EACCES':
      return `Not allowed: ${message}. Ports below 1024 and read-only folders need other rights; set PORT or DATA_DIR.`;
    case 'ECONNREFUSED':
    case 'ENOTFOUND':
    case 'ETIMEDOUT':
      return `The database cannot be reached (${code}). Is DATABASE_URL right, and is PostgreSQL running there?`;
    case '28P01':
    case '28000':
    case '3D000':
      return `PostgreSQL refused DATABASE_URL: ${message}.`;
    default:
      return message || String(error);
  }
}
