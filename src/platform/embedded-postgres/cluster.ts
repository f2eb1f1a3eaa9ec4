import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort, newPassword, readSettings, writeSettings, type ClusterSettings } from './cluster-settings.js';
import { checkDataDirectory, createDataDirectory, dataPath } from './data-directory.js';
import { EmbeddedPostgresError } from './embedded-postgres.errors.js';
import type { Placement } from './placement.js';
import { launch, type Launched } from './postmaster.js';
import { postmasterPidHolder } from './postmaster-pid.js';
import { createDatabase, probe } from './probe.js';
import { isRunning, type ProcessRef } from './process-ref.js';

export interface RunningCluster {
  postmaster: ProcessRef;
  settings: ClusterSettings;
}

/** How long what a killed server left behind (its lock file, its children's shared memory) may still be in the way. */
const LEFTOVERS_TIMEOUT_MS = 15_000;
/** Recovery after a crash replays up to max_wal_size of log; a slow disk needs its minutes. */
const READY_TIMEOUT_MS = 300_000;
const LEFTOVERS = /pre-existing shared memory block|lock file ".*" already exists|is another postmaster/i;
const PORT_TAKEN = /could not bind .*Address already in use/i;

/**
 * One data directory and the attempts to get it served. Only its owner (see `OwnerLock`) calls this.
 */
export class Cluster {
  private readonly settingsFile: string;
  private readonly logFile: string;

  constructor(
    dataDir: string,
    private readonly placement: Placement,
    private readonly log: (line: string) => void,
  ) {
    this.settingsFile = join(dataDir, 'postgres.json');
    this.logFile = join(dataDir, 'postgres.log');
  }

  /** Makes the data directory if there is none; then adopts the PostgreSQL that serves it or starts one. */
  async bringUp(): Promise<RunningCluster> {
    const settings = await this.prepare();
    const running = (await this.adopt(settings)) ?? (await this.start(settings, 'any port', () => undefined));
    await createDatabase(running.settings);
    return running;
  }

  /** The running PostgreSQL of this directory, if one answers, or undefined when there is none. */
  async adopt(settings: ClusterSettings): Promise<RunningCluster | undefined> {
    for (const deadline = Date.now() + READY_TIMEOUT_MS; ; await sleep(50)) {
      const holder = postmasterPidHolder(dataPath(this.placement));
      if (holder.kind === 'stranger') rmSync(join(dataPath(this.placement), 'postmaster.pid'), { force: true });
      if (holder.kind !== 'ours') return undefined;
      const found = { ...settings, port: holder.port };
      const answer = holder.status === 'ready' ? await probe(found, 'postgres') : 'refused';
      if (answer === 'ready') {
        if (found.port !== settings.port) writeSettings(this.settingsFile, found);
        return { postmaster: holder.process, settings: found };
      }
      const how = answer === 'stranger' ? 'does not accept the password in postgres.json' : 'does not answer';
      if (answer === 'stranger' || Date.now() > deadline) {
        throw new EmbeddedPostgresError(
          `The PostgreSQL of ${this.placement.home} (pid ${holder.process.pid}) ${how}: end it with \`kill -QUIT ${holder.process.pid}\` and start again.`,
        );
      }
    }
  }

  /**
   * Starts PostgreSQL and waits until it answers.
   * @param ports whether another port will do when ours is taken: not once its URL was handed out
   * @param launched told of every postmaster at once, so that it can be stopped before it is ready
   */
  async start(
    settings: ClusterSettings,
    ports: 'any port' | 'same port',
    launched: (postmaster: ProcessRef) => void,
  ): Promise<RunningCluster> {
    let current = settings;
    for (const deadline = Date.now() + LEFTOVERS_TIMEOUT_MS; ; await sleep(200)) {
      if (ports === 'any port') current = await this.withFreePort(current);
      const attempt = await launch(this.placement, current.port, this.logFile);
      launched(attempt.process);
      if (await this.untilReady(attempt, current)) return { postmaster: attempt.process, settings: current };
      const output = attempt.output();
      const mayPass = LEFTOVERS.test(output) || (ports === 'any port' && PORT_TAKEN.test(output));
      if (!mayPass || Date.now() > deadline) throw this.failure(output);
    }
  }

  private async prepare(): Promise<ClusterSettings> {
    const exists = existsSync(dataPath(this.placement));
    let settings = readSettings(this.settingsFile);
    if (settings === undefined) {
      if (exists) {
        throw new EmbeddedPostgresError(
          `${this.settingsFile} with the password of ${this.placement.home} is gone: restore it, or move ${this.placement.home} away to start with an empty database.`,
        );
      }
      settings = { port: await freePort(), password: newPassword() };
      writeSettings(this.settingsFile, settings);
    }
    if (exists) {
      checkDataDirectory(this.placement);
    } else {
      this.log(`creating the PostgreSQL data in ${this.placement.home}`);
      await createDataDirectory(this.placement, settings.password);
    }
    return settings;
  }

  private async withFreePort(settings: ClusterSettings): Promise<ClusterSettings> {
    const port = await freePort(settings.port);
    if (port === settings.port) return settings;
    const changed = { ...settings, port };
    writeSettings(this.settingsFile, changed);
    return changed;
  }

  /** False when the postmaster ended instead. */
  private async untilReady({ process }: Launched, settings: ClusterSettings): Promise<boolean> {
    for (const deadline = Date.now() + READY_TIMEOUT_MS; Date.now() < deadline; await sleep(25)) {
      if (!isRunning(process)) return false;
      // Its own pid file first: on a port that is taken somebody else would answer.
      const holder = postmasterPidHolder(dataPath(this.placement));
      const isReady = holder.kind === 'ours' && holder.process.pid === process.pid && holder.status === 'ready';
      if (isReady && (await probe(settings, 'postgres')) === 'ready') return true;
    }
    throw new EmbeddedPostgresError(
      `PostgreSQL (pid ${process.pid}) was not ready after ${READY_TIMEOUT_MS / 60_000} minutes: see ${this.logFile}.`,
    );
  }

  private failure(output: string): EmbeddedPostgresError {
    const line = output
      .trim()
      .split('\n')
      .findLast((each) => /FATAL|PANIC|could not/.test(each));
    const reason = line?.replace(/^.*?(FATAL|PANIC|LOG): +/, '') ?? 'it said nothing';
    if (/No space left|Disk quota/i.test(output)) {
      return new EmbeddedPostgresError(
        `PostgreSQL could not start: no space left on the disk of ${this.placement.home}.`,
      );
    }
    return new EmbeddedPostgresError(
      `PostgreSQL could not start: ${reason} (see ${this.logFile}). If its data is damaged, restore ${this.placement.home} from a backup, or move it away to start with an empty database.`,
    );
  }
}
