/** Somebody else has taken it, because our lease ended: whatever this attempt wrote is rolled back. */
export class ClaimLostError extends Error {
  override readonly name = 'ClaimLostError';

  constructor(noun: string, cause?: unknown) {
    super(`The claim on a ${noun} was lost before it was done`, { cause });
  }
}

/** The process ends: the attempt is over, and what it was about goes back as it was. */
export class HandedBackError extends Error {
  override readonly name = 'HandedBackError';

  constructor(noun: string) {
    super(`The server is shutting down; the ${noun} goes back to the queue`);
  }
}
