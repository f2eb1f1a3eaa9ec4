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
