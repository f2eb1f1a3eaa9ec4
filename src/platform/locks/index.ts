import { LockFenceRow } from './lock-fence.entity.js';
import { Lock } from './lock.entity.js';

export { LockLostError, LockNotAcquiredError, LocksUnavailableError } from './lock.errors.js';
export { LockFence } from './lock-fence.js';
export type { LockOptions } from './lock-options.js';
export type { Lease } from './lease.js';
export { Locks, type LockScope } from './locks.js';
export { LocksModule } from './locks.module.js';

/** For the data source. */
export const LOCK_ENTITIES = [Lock, LockFenceRow];
