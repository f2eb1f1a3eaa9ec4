import { TransactionConflictError } from './transaction-conflict.error.js';

/** SQLSTATE, see https://www.postgresql.org/docs/current/errcodes-appendix.html */
const SERIALIZATION_FAILURE = '40001';
const DEADLOCK_DETECTED = '40P01';

/**
 * Sockets that broke, servers that shut down or start up, no free slot, a transaction that fell silent: try again later,
 * the SQL is not to blame.
 */
const UNAVAILABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  '57P01',
  '57P02',
  '57P03',
  '53300',
  '25P03',
]);

/** What `pg` and TypeORM throw without a code when a socket ends or the pool has no connection within its time. */
const UNAVAILABLE_TEXT =
  /^(Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed|Query runner already released|Query read timeout|Cannot use a pool after calling end|Driver not Connected|Connection with .* database is not established)/;

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** True for 40001, 40P01 and what we found ourselves: running the same transaction again may succeed. */
export function isSerializationFailure(error: unknown): boolean {
  if (error instanceof TransactionConflictError) return true;
  const code = codeOf(error);
  return code === SERIALIZATION_FAILURE || code === DEADLOCK_DETECTED;
}

/** True when PostgreSQL could not be reached or dropped us, so that nothing is known to be wrong with the request. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = codeOf(error);
  if (code !== undefined && (UNAVAILABLE.has(code) || code.startsWith('08'))) return true;
  if (error instanceof AggregateError) return error.errors.some(isDatabaseUnavailable);
  return UNAVAILABLE_TEXT.test(error.message);
}

/** True for 57014: the statement took longer than `DB_STATEMENT_TIMEOUT_MS`, most often because it waited for a lock. */
export function isStatementTimeout(error: unknown): boolean {
  return codeOf(error) === '57014';
}

/** True for 55P03: somebody held a lock for longer than `lock_timeout`. */
export function isLockTimeout(error: unknown): boolean {
  return codeOf(error) === '55P03';
}

/** True for SQLSTATE class 22 (data exception) and 54 (program limit): one row of the statement is at fault. */
export function isDataError(error: unknown): boolean {
  const code = codeOf(error);
  return code !== undefined && /^(22|54)[0-9A-Z]{3}$/.test(code);
}

/** True for what deferred constraints and serialization answer to COMMIT: SQLSTATE classes 22, 23, 40 and P0. */
export function isRefusedCommit(error: unknown): boolean {
  const code = codeOf(error);
  return code !== undefined && /^(22|23|40|P0)[0-9A-Z]{3}$/.test(code);
}

/** True for 23505: the row is there already. */
export function isUniqueViolation(error: unknown): boolean {
  return codeOf(error) === '23505';
}
