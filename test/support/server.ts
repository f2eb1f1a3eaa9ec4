import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { join, resolve } from 'node:path';

import { compiled } from './compile-into-build.mjs';
import { RATE_LIMITS_OFF } from './rate-limits-off.js';
import { makeTempFolder, removeTempFolder } from './temp-folder.js';
import { waitFor } from './wait-for.js';

export interface ServerOptions {
  /** Beside the defaults below; `DATABASE_URL` above all. A variable of the shell that runs the tests never gets through. */
  env: Record<string, string>;
  /** A TypeScript file to run in place of `dist/src/main.js`, for a server with handlers of its own. */
  entry?: string;
}

export type LogLine = Record<string, unknown> & { level: string; msg: string };

const root = resolve(import.meta.dirname, '../..');
/** As in `npm start`. */
const NODE_FLAGS = ['--max-semi-space-size=32', '--heap-growing-percent=100'];
const START_TIMEOUT_MS = 60_000;
/** The same for all servers of a test file: they may share a database, and secrets in it are sealed with the one. */
const ENCRYPTION_KEY = randomBytes(32).toString('hex');
/** What the tests' servers sign access tokens of end users with, unless told otherwise. */
export const JWT_SECRET = randomBytes(32).toString('hex');
const ADMIN_KEY = `hf_test_${randomBytes(24).toString('hex')}`;

/** The server as people run it: its own process, its own port, reached over HTTP. */
export class TestServer {
  /** Of an admin key that the server knows from its start. */
  readonly adminKey: string;
  /** `http://127.0.0.1:<port>` */
  url = '';
  private out = '';
  private err = '';

  private constructor(
    private readonly child: ChildProcess,
    private readonly dataDir: string,
    env: Record<string, string>,
  ) {
    this.adminKey = env['BOOTSTRAP_API_KEY'] ?? ADMIN_KEY;
    child.stdout?.on('data', (chunk: Buffer) => (this.out += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (this.err += chunk.toString()));
  }

  /** Resolves once `/health/ready` answers 200. @throws Error with all output when the server ends before */
  static async start({ env, entry }: ServerOptions): Promise<TestServer> {
    const server = TestServer.launch({ env, ...(entry !== undefined && { entry }) });
    try {
      await server.untilReady();
    } catch (error) {
      await server.kill('SIGKILL');
      throw error;
    }
    return server;
  }

  /** Only starts the process, for tests about servers that do not come up. */
  static launch({ env, entry }: ServerOptions): TestServer {
    if (process.env['TEST_BUILD'] !== 'whole') {
      throw new Error('The build failed: see the beginning of this run.');
    }
    const dataDir = makeTempFolder('server');
    const program = entry === undefined ? 'dist/src/main.js' : compiled(entry);
    const child = spawn(process.execPath, [...NODE_FLAGS, program], {
      cwd: root,
      env: { ...machine(), ...defaults(dataDir), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    return new TestServer(child, dataDir, env);
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get hasExited(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** Everything written so far, on standard output and then standard error. */
  output(): string {
    return this.out + this.err;
  }

  /** The JSON lines of the log so far. */
  logs(): LogLine[] {
    return this.out.split('\n').flatMap((line) => {
      try {
        const value: unknown = JSON.parse(line);
        return isLogLine(value) ? [value] : [];
      } catch {
        return [];
      }
    });
  }

  /** @param path with a leading slash; the admin key goes along unless `init` has an Authorization of its own */
  fetch(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (!headers.has('authorization')) headers.set('authorization', `Bearer ${this.adminKey}`);
    return fetch(this.url + path, { ...init, headers });
  }

  async untilReady(): Promise<void> {
    await waitFor(
      async () => {
        if (this.hasExited) return true;
        const url = this.logs().find(({ msg }) => msg === 'ready')?.['url'];
        this.url = typeof url === 'string' ? url : '';
        return this.url !== '' && (await fetch(`${this.url}/health/ready`)).status === 200;
      },
      { timeout: START_TIMEOUT_MS, what: 'the server to be ready' },
    ).catch((cause: unknown) => {
      throw new Error(`The server was not ready in time:\n${this.output()}`, { cause });
    });
    if (this.hasExited) throw new Error(`The server ended with code ${this.child.exitCode}:\n${this.output()}`);
  }

  /** Sends the signal; after SIGKILL, also waits until the process is gone. */
  async kill(signal: NodeJS.Signals): Promise<void> {
    if (this.hasExited) return this.cleanUp();
    const exited = once(this.child, 'exit');
    this.child.kill(signal);
    if (signal !== 'SIGKILL') return;
    await exited;
    this.cleanUp();
  }

  /** SIGTERM, and the exit code once it has drained; 128 + n would be a death by signal, null means one. */
  async stop(): Promise<number | null> {
    if (!this.hasExited) this.child.kill('SIGTERM');
    return this.exitCode();
  }

  /** Waits for the end of the process. */
  async exitCode(): Promise<number | null> {
    if (!this.hasExited) await once(this.child, 'close');
    this.cleanUp();
    return this.child.exitCode;
  }

  private cleanUp(): void {
    removeTempFolder(this.dataDir);
  }
}

export function startServer(options: ServerOptions): Promise<TestServer> {
  return TestServer.start(options);
}

function defaults(dataDir: string): Record<string, string> {
  return {
    NODE_ENV: 'test',
    HOST: '127.0.0.1',
    PORT: '0',
    DATA_DIR: join(dataDir, 'data'),
    LOG_LEVEL: 'info',
    ENCRYPTION_KEY,
    JWT_SECRET,
    BOOTSTRAP_API_KEY: ADMIN_KEY,
    // Each scrape is to see what has just been done.
    METRICS_MAX_AGE_MS: '0',
    // Whatever the hour is.
    PAYMENTS_RECONCILE_AT: 'off',
    ...RATE_LIMITS_OFF,
  };
}

/** What a process needs of its machine, and nothing that configures ours. */
function machine(): Record<string, string> {
  const names = ['PATH', 'HOME', 'TMPDIR', 'LANG', 'TZ', 'SYSTEMROOT'];
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])));
}

function isLogLine(value: unknown): value is LogLine {
  return typeof value === 'object' && value !== null && 'msg' in value && 'level' in value;
}
