/** Thrown by a handler that knows no retry is of any use: the job is given up at once. */
export class JobGivenUpError extends Error {
  override readonly name = 'JobGivenUpError';
}

/** The attempt took longer than its kind may. */
export class JobTimeoutError extends Error {
  override readonly name = 'JobTimeoutError';

  constructor(timeoutMs: number) {
    super(`The job took longer than ${timeoutMs} ms`);
  }
}

/** Another worker holds the job by now, because our lease ended: whatever this attempt wrote is rolled back. */
export class JobLostError extends Error {
  override readonly name = 'JobLostError';

  constructor(id: string) {
    super(`The claim on job ${id} was lost before the job was done`);
  }
}

/** The process ends: the job goes back as it was. */
export class JobHandedBackError extends Error {
  override readonly name = 'JobHandedBackError';

  constructor() {
    super('The server is shutting down; the job goes back to the queue');
  }
}
