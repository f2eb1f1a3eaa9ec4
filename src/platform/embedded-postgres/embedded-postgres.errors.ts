import { AppError } from '../../kernel/app-error.js';

/** The embedded PostgreSQL cannot run here. The message is one sentence on what is wrong and how to mend it. */
export class EmbeddedPostgresError extends AppError {
  readonly code = 'EMBEDDED_POSTGRES_FAILED';
  readonly status = 503;
  readonly title = 'The embedded PostgreSQL cannot run';
}

/**
 * Says in one sentence what a failed file operation means for whoever starts the server.
 * @param error anything thrown; what is not a known file error comes back unchanged
 */
export function explainFileError(error: unknown, dataDir: string): unknown {
  if (!(error instanceof Error) || !('code' in error)) return error;
  const path = 'path' in error && typeof error.path === 'string' ? error.path : dataDir;
  const elsewhere = 'set DATA_DIR to another folder, or DATABASE_URL to a PostgreSQL of your own';
  switch (error.code) {
    case 'EACCES':
    case 'EPERM':
      return new EmbeddedPostgresError(
        `Permission denied on ${path}: give this user the folder (chown -R "$(id -un)" "${dataDir}"), start as the user who owns it, or ${elsewhere}.`,
        { cause: error },
      );
    case 'EROFS':
      return new EmbeddedPostgresError(`${path} is on a read-only file system: ${elsewhere}.`, { cause: error });
    case 'ENOENT':
      return new EmbeddedPostgresError(`${path} does not exist and cannot be made: ${elsewhere}.`, { cause: error });
    case 'ENOTDIR':
    case 'EEXIST':
      return new EmbeddedPostgresError(`${path} is a file where a folder is needed: remove it, or ${elsewhere}.`, {
        cause: error,
      });
    case 'ENOSPC':
    case 'EDQUOT':
      return new EmbeddedPostgresError(`No space left on the disk of ${path}: free some space, or ${elsewhere}.`, {
        cause: error,
      });
    default:
      return error;
  }
}
