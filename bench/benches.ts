import type { Bench } from './bench.js';
import { memoryUnderLoad } from './webhooks/memory-under-load.js';
import { webhookIntake } from './webhooks/webhook-intake.js';

/** In the order they run and are printed. */
export const BENCHES: readonly Bench[] = [webhookIntake, memoryUnderLoad];
