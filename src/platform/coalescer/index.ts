export { Coalescer, CoalescerFullError, type CoalescerOptions, type Outcome } from './coalescer.js';
export { CoalescerFactory, CoalescerModule } from './coalescer.factory.js';
