import { startEmbeddedPostgres, type EmbeddedPostgres } from '../../src/platform/embedded-postgres/index.js';
import { childrenOf, isRunning } from './process-status.js';
import { makeTempFolder, removeTempFolder } from './temp-folder.js';
import { waitFor } from './wait-for.js';

/** A PostgreSQL of the test's own, to be killed and cut off at will. Its database `holdfast` is empty: migrate it. */
export class PrivatePostgres {
  private constructor(
    private readonly dataDir: string,
    private server: EmbeddedPostgres,
  ) {}

  static async start(): Promise<PrivatePostgres> {
    const dataDir = makeTempFolder('postgres');
    return new PrivatePostgres(dataDir, await startEmbeddedPostgres({ dataDir }));
  }

  /** The same over restarts. */
  get url(): string {
    return this.server.url;
  }

  get port(): number {
    return this.server.port;
  }

  /** kill -9 of the postmaster and every process of it, as the kernel would; it stays down until `restart`. */
  async kill9(): Promise<void> {
    const { pid } = this.server;
    const all = [pid, ...childrenOf(pid)];
    for (const each of all) {
      try {
        process.kill(each, 'SIGKILL');
      } catch {
        // It went with the postmaster.
      }
    }
    await this.server.stop();
    await waitFor(() => all.every((each) => !isRunning(each)), { what: 'the end of PostgreSQL' });
  }

  /** A clean stop; it stays down until `restart`. */
  async shutDown(): Promise<void> {
    await this.server.stop();
  }

  /** Brings it back on the same port, after recovery if it was killed. */
  async restart(): Promise<void> {
    const { url } = this;
    await this.server.stop();
    this.server = await startEmbeddedPostgres({ dataDir: this.dataDir });
    if (this.server.url !== url) throw new Error(`PostgreSQL came back at ${this.server.url} and not at ${url}`);
  }

  /** For good. */
  async stop(): Promise<void> {
    await this.server.stop();
    removeTempFolder(this.dataDir);
  }
}

export function startPrivatePostgres(): Promise<PrivatePostgres> {
  return PrivatePostgres.start();
}
