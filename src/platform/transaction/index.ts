export { allEnded } from './all-ended.js';
export { READ_COMMITTED } from './read-committed.js';
export { LEDGER_LOCK } from './ledger-lock.js';
export { CommitOutcomeUnknownError } from './commit-outcome-unknown.error.js';
export { TransactionModule } from './transaction.module.js';
export { holdsLock } from './held-lock.js';
export { lockName } from './lock-name.js';
export { type IsolationLevel, type TransactionOptions, Transactor } from './transactor.js';
