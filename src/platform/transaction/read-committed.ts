import type { TransactionOptions } from './transactor.js';

/**
 * For work whose statements each decide for themselves, on rows they lock: after waiting for a lock the next statement sees
 * what the other transaction committed, and nothing has to run again.
 */
export const READ_COMMITTED: Readonly<TransactionOptions> = Object.freeze({ isolation: 'READ COMMITTED' });
