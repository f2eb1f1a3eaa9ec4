export { InFlight } from './in-flight.js';
export { showQueue } from './queue-gauges.js';
export { RunningWork } from './running-work.js';
export { settledWithin } from './settled-within.js';
export { ClaimLostError, HandedBackError } from './work.errors.js';
export { type Claimed, HEARTBEATS_PER_LEASE, idsOf, WorkQueue } from './work-queue.js';
export { lockedRows, STILL_OURS, type WorkTable } from './work-table.js';
