/**
 * A stored secret cannot be decrypted. Only the operator can mend it, so it is no `AppError`: callers read a plain
 * 500, the log and the command line tell what to do.
 */
export class SecretUnreadableError extends Error {
  override readonly name = 'SecretUnreadableError';

  static wrongKey(aad: string, cause: unknown): SecretUnreadableError {
    return new SecretUnreadableError(
      `The stored secret of ${aad} cannot be read: ENCRYPTION_KEY differs from the one it was written with, or the ` +
        'stored value was altered. Run npx holdfast encryption rotate with that key as ENCRYPTION_KEY_PREVIOUS, or store ' +
        'the secret again.',
      { cause },
    );
  }

  static malformed(aad: string): SecretUnreadableError {
    return new SecretUnreadableError(
      `The stored secret of ${aad} cannot be read: it is cut off, or written by a newer version of Holdfast. Restore ` +
        'it from a backup, or store the secret again.',
    );
  }
}
