export { arrayLiteral, plainArrayLiteral } from './array-literal.js';
export { createDataSource, type Schema, withDataSource } from './data-source.js';
export {
  isDatabaseUnavailable,
  isDataError,
  isLockTimeout,
  isRefusedCommit,
  isSerializationFailure,
  isStatementTimeout,
  isUniqueViolation,
} from './database-errors.js';
export { DatabaseModule } from './database.module.js';
export { migrate, revertLastMigration } from './migrate.js';
export { type OpenDatabase, openDatabase } from './open-database.js';
export { otherConnections } from './other-connections.js';
export {
  prepared,
  type PreparedStatement,
  runnerOf,
  runPrepared,
  runPreparedAlone,
  sealPrepared,
} from './prepared-statement.js';
export { DatabaseUnsupportedError } from './supported-server.js';
export { TransactionConflictError } from './transaction-conflict.error.js';
export { TransactionEndedError } from './transaction-ended.error.js';
