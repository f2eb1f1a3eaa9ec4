import type { EntityManager } from 'typeorm';
import type { Backoff } from '../../kernel/backoff.js';
import type { JsonValue } from '../../kernel/exact-json.js';

/** Sealed where it is stored, so it may carry addresses and links. An integer beyond 2^53 comes back as a `bigint`. */
export type JobPayload = Readonly<Record<string, JsonValue>>;

export interface NewJob {
  /** Chooses the handler; a fixed word of the program's own, for it labels metrics. */
  readonly kind: string;
  readonly payload: JobPayload;
  /** Given up if it is not done by then. Default: never. */
  readonly expiresInMs?: number;
}

/** What a handler is given. */
export interface Job {
  /** UUID version 7; the same at every attempt. */
  readonly id: string;
  readonly kind: string;
  readonly payload: JobPayload;
  /** 1 is the first. */
  readonly attempt: number;
  readonly createdAt: Date;
  /** Aborted when the time is up, when another worker has the job, and when the process ends. */
  readonly signal: AbortSignal;
}

export interface JobOptions {
  /** Failed attempts, the first included, after which the job is given up; `Infinity` for no end. Default 10. */
  readonly maxAttempts?: number;
  /** Between failed attempts. Default: 1 s, doubling up to 15 minutes. */
  readonly backoff?: Backoff;
  /** How long one attempt may take. Default 30 s. */
  readonly timeoutMs?: number;
  /** How many of the kind a process works on at once; each in a transaction holds a connection. Default 2. */
  readonly concurrency?: number;
}

export type TransactionalWork = (tx: EntityManager, job: Job) => Promise<void>;
export type OutsideWork = (job: Job) => Promise<void>;
