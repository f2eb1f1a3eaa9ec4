import cluster from 'node:cluster';
import { Channel } from './channel.js';

/**
 * The way to the process that started this one as one of several (`PROCESSES`); null in a process that was started by
 * itself. Node ends this process as soon as the other one is gone.
 */
export const PARENT: Channel | null = cluster.isWorker ? new Channel(process) : null;

/** Topics of what a process tells its parent about its start. */
export const READY = 'ready';
export const FAILED = 'failed';

/** What a process says once it serves. */
export interface Readiness {
  /** Where it listens, the same for all of them. */
  readonly url: string;
  readonly adminKey: string | null;
}
