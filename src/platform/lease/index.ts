export { HEARTBEATS_PER_LEASE, InFlight } from './in-flight.js';
export { settledWithin } from './settled-within.js';
