/** Injection token of the `JobTimings`. */
export const JOB_TIMINGS = Symbol('JOB_TIMINGS');

/** Milliseconds. */
export interface JobTimings {
  /** How long a due job waits at most for a worker with room to look. */
  readonly poll: number;
  /** How long a job stays with a worker that gives no sign of life; renewed every third of it. */
  readonly lease: number;
  /** How often expired jobs, and given-up ones past their time, are looked for. */
  readonly sweep: number;
  /** How long what is running may go on when the process ends. */
  readonly drain: number;
  /** Until a job is tried again whose attempt failed because the database was away. */
  readonly afterOutage: number;
  /** Until a job is tried again whose payload cannot be read: another process may have the right key by then. */
  readonly afterUnreadable: number;
}

export const JOB_TIMINGS_OF_PRODUCTION: Omit<JobTimings, 'drain'> = {
  poll: 250,
  lease: 30_000,
  sweep: 1000,
  afterOutage: 1000,
  afterUnreadable: 60_000,
};
