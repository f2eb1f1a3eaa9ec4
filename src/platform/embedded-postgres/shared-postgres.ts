import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster, type RunningCluster } from './cluster.js';
import { connectionUrl, NAME, readSettings, type ClusterSettings } from './cluster-settings.js';
import { EmbeddedPostgresError } from './embedded-postgres.errors.js';
import { OwnerLock } from './owner-lock.js';
import { placeCluster } from './placement.js';
import { terminate } from './postmaster.js';
import { postmasterPidHolder, readPostmasterPid } from './postmaster-pid.js';
import { probe } from './probe.js';
import { isRunning } from './process-ref.js';

/** How soon a dead PostgreSQL or a dead owner is noticed. */
const WATCH_MS = 100;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;
/** Another process may be in its initdb, or recovering from a crash. */
const ATTACH_TIMEOUT_MS = 300_000;
const LEAVE_TRIES = 20;

/**
 * One process's share in the PostgreSQL of a data folder: the owner watches it and starts it again, the others stand by to
 * become the owner.
 */
export class SharedPostgres {
  private readonly lock: OwnerLock;
  private settings: ClusterSettings = { port: 0, password: '' };
  private cluster: Cluster | undefined;
  private running: RunningCluster | undefined;
  private watching: NodeJS.Timeout | undefined;
  private work: Promise<void> = Promise.resolve();
  private readonly leaving = new AbortController();
  private stopped: Promise<void> | undefined;

  constructor(
    private readonly dataDir: string,
    private readonly log: (line: string) => void,
  ) {
    this.lock = new OwnerLock(join(dataDir, 'postgres.lock'));
  }

  private get data(): string {
    return join(this.dataDir, 'postgres', 'data');
  }

  get url(): string {
    return connectionUrl(this.settings);
  }

  get port(): number {
    return this.settings.port;
  }

  get owned(): boolean {
    return this.lock.isOwner();
  }

  get pid(): number {
    return this.running?.postmaster.pid ?? readPostmasterPid(this.data)?.pid ?? 0;
  }

  stop(): Promise<void> {
    this.leaving.abort();
    clearTimeout(this.watching);
    this.stopped ??= this.letGo().finally(() => this.lock.release());
    return this.stopped;
  }

  async join(): Promise<this> {
    this.lock.attach();
    try {
      for (const deadline = Date.now() + ATTACH_TIMEOUT_MS; !(await this.joinOnce()); await pause()) {
        if (Date.now() > deadline) throw this.unattachable();
      }
    } catch (error) {
      this.lock.release();
      throw error;
    }
    this.watch();
    return this;
  }

  private async joinOnce(): Promise<boolean> {
    if (this.lock.tryOwn()) {
      this.running = await this.bringUp();
      this.settings = this.running.settings;
      return true;
    }
    const settings = readSettings(join(this.dataDir, 'postgres.json'));
    if (settings === undefined || (await probe(settings, NAME)) !== 'ready') return false;
    this.settings = settings;
    return true;
  }

  private bringUp(): Promise<RunningCluster> {
    this.cluster = new Cluster(this.dataDir, placeCluster(this.dataDir, this.log), this.log);
    return this.cluster.bringUp();
  }

  /** The timer is no reason for the process to stay: who holds connections decides that. */
  private watch(): void {
    this.watching = setTimeout(() => {
      this.work = this.look()
        .catch((error: unknown) => {
          this.log(`Cannot watch PostgreSQL: ${error instanceof Error ? error.message : String(error)}`);
          return this.rest(LONGEST_PAUSE_MS);
        })
        .then(() => {
          if (!this.leaving.signal.aborted) this.watch();
        });
    }, WATCH_MS).unref();
  }

  private async look(): Promise<void> {
    if (this.lock.isOwner()) {
      if (this.running && !isRunning(this.running.postmaster)) await this.restart('ended unexpectedly');
    } else if (this.lock.tryOwn()) {
      await this.restart('lost the process that watched it');
    }
  }

  /** Until it runs again or we stop: the URL was handed out, so it must come back on the same port. */
  private async restart(reason: string): Promise<void> {
    this.log(`PostgreSQL ${reason}: starting or adopting it on port ${this.port}`);
    for (let wait = FIRST_PAUSE_MS; !this.leaving.signal.aborted; wait = Math.min(wait * 2, LONGEST_PAUSE_MS)) {
      try {
        this.cluster ??= new Cluster(this.dataDir, placeCluster(this.dataDir, this.log), this.log);
        this.running =
          (await this.cluster.adopt(this.settings)) ??
          (await this.cluster.start(this.settings, 'same port', (postmaster) => {
            this.running = { postmaster, settings: this.settings };
            if (this.leaving.signal.aborted) void terminate(postmaster);
          }));
        this.log(`PostgreSQL answers again (pid ${this.running.postmaster.pid})`);
        return;
      } catch (error) {
        if (this.leaving.signal.aborted) return;
        this.log(`${error instanceof Error ? error.message : String(error)} Trying again in ${wait} ms.`);
        await this.rest(wait);
      }
    }
  }

  /**
   * The last one out stops PostgreSQL. Owner and attached process may leave at the same moment, so an owner that stayed its
   * hand for the other looks again once it has let go, and whoever then becomes the owner does it.
   */
  private async letGo(): Promise<void> {
    this.lock.release('attached');
    for (let tries = 0; tries < LEAVE_TRIES; tries += 1, await pause()) {
      if (this.lock.hasOthersAttached()) {
        this.lock.release('owner');
        if (this.lock.hasOthersAttached()) break;
      }
      if (this.lock.isOwner() || this.lock.tryOwn()) {
        await this.shutDown();
        return;
      }
    }
    await this.work;
  }

  private async shutDown(): Promise<void> {
    await this.endPostmaster();
    await this.work;
    // A restart under way may have launched one since.
    await this.endPostmaster();
  }

  private async endPostmaster(): Promise<void> {
    const holder = postmasterPidHolder(this.data);
    if (holder.kind === 'ours') await terminate(holder.process);
  }

  private rest(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.leaving.signal }).catch(() => undefined);
  }

  private unattachable(): EmbeddedPostgresError {
    return new EmbeddedPostgresError(
      `Another process owns ${this.dataDir} and its PostgreSQL does not answer: end that process and start again.`,
    );
  }
}

/** With jitter, so that two first starts do not withdraw from each other for ever. */
function pause(): Promise<void> {
  return sleep(20 + Math.random() * 80);
}
