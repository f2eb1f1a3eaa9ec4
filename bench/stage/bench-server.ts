import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { compiled, compileIntoBuild } from '../../test/support/compile-into-build.mjs';
import { familyCpuSeconds, familyPids } from './cpu-seconds.js';

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const MAIN = join(ROOT, 'dist', 'src', 'main.js');
/** As in `npm start`. */
export const NODE_FLAGS = ['--max-semi-space-size=32', '--heap-growing-percent=100'];
const START_TIMEOUT_MS = 60_000;

/** The built server as its users run it: every role, the full edge on. */
export class BenchServer {
  private constructor(
    private readonly child: ChildProcess,
    private readonly logFile: string,
    readonly url: string,
  ) {}

  /**
   * @param environment beside the defaults
   * @param entry a TypeScript file to run in place of the server's own, for handlers of a bench
   */
  static async start(folder: string, environment: Record<string, string>, entry?: string): Promise<BenchServer> {
    // A file and no pipe: reading it would cost this process time, and the machine has few cores.
    const logFile = join(folder, 'server.log');
    const log = openSync(logFile, 'w');
    if (entry !== undefined) await compileIntoBuild(dirname(entry));
    const program = entry === undefined ? MAIN : compiled(entry);
    const child = spawn(process.execPath, [...NODE_FLAGS, program], {
      cwd: folder,
      env: {
        PATH: process.env['PATH'],
        NODE_ENV: 'production',
        ENCRYPTION_KEY: randomBytes(32).toString('hex'),
        JWT_SECRET: randomBytes(32).toString('hex'),
        DATA_DIR: join(folder, 'server'),
        PORT: '0',
        // Nobody sends mail here; without these production warns, and a healthy run has no warnings.
        SMTP_URL: 'smtp://127.0.0.1:9',
        MAIL_FROM: 'bench@holdfast.invalid',
        PUBLIC_URL: 'https://holdfast.invalid',
        LOG_LEVEL: 'info',
        ...environment,
      },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    for (const deadline = Date.now() + START_TIMEOUT_MS; Date.now() < deadline; await delay(50)) {
      const url = readyUrl(logFile);
      if (url) return new BenchServer(child, logFile, url);
      if (child.exitCode !== null) break;
    }
    child.kill('SIGKILL');
    throw new Error(`The server did not start:\n${readFileSync(logFile, 'utf8').slice(-2000)}`);
  }

  cpuSeconds(): number {
    return familyCpuSeconds(this.child.pid ?? 0);
  }

  /** Resident memory of all its processes, from /proc (Linux). */
  residentBytes(): number {
    return familyPids(this.child.pid ?? 0).reduce((sum, pid) => sum + residentBytes(pid), 0);
  }

  /** Lines of level warn and above; a healthy run has none. */
  complaints(): string[] {
    const lines = readFileSync(this.logFile, 'utf8').split('\n');
    return lines.filter((line) => /"level":"(?:warn|error|fatal)"/.test(line));
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    this.child.kill('SIGTERM');
    await once(this.child, 'exit');
  }
}

function residentBytes(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}

function readyUrl(logFile: string): string | undefined {
  const line = readFileSync(logFile, 'utf8')
    .split('\n')
    .find((each) => each.includes('"msg":"ready"'));
  return line && /"url":"([^"]+)"/.exec(line)?.[1];
}
