/** Something the user can mend. Its message is all they read; the exit code is 1. */
export class CliError extends Error {
  override readonly name = 'CliError';
}
