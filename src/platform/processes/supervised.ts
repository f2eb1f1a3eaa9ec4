import cluster from 'node:cluster';
import { Channel, type Topic } from './channel.js';

/**
 * The way to the supervisor, in a process that is one of several (`PROCESSES`); null in one that was started by itself.
 * Node ends this process as soon as the supervisor is gone.
 */
export const SUPERVISOR: Channel | null = cluster.worker ? new Channel(cluster.worker) : null;

/** What a process says once it serves. */
export interface Readiness {
  /** Where it listens, the same for all of them. */
  readonly url: string;
  /** The admin key a newcomer may use, when this start knows one. */
  readonly adminKey: string | null;
}

/** A process tells its supervisor that it serves. */
export const READY: Topic<Readiness, void> = { name: 'ready' };

/** A process tells its supervisor, in one line, why it cannot start. */
export const FAILED: Topic<string, void> = { name: 'failed' };
