import type { Bench } from './bench.js';
import { memoryLimits, postgresLimits, redisLimits } from './latency/limits.js';
import { postgresLocks, redisLocks } from './latency/locks.js';
import { sandboxPayments } from './money/payment-bench.js';
import { batchTransfers, hotTransfers, singleTransfers } from './money/transfer-benches.js';
import { balanceReads } from './reads/balance-reads.js';
import { replayedTransfers } from './reads/replay-bench.js';
import { batchProcessing, eventProcessing } from './webhooks/event-processing.js';
import { memoryUnderLoad } from './webhooks/memory-under-load.js';
import { webhookIntake } from './webhooks/webhook-intake.js';

/** In the order they run and are printed. */
export const BENCHES: readonly Bench[] = [
  webhookIntake,
  singleTransfers,
  hotTransfers,
  batchTransfers,
  eventProcessing,
  batchProcessing,
  balanceReads,
  replayedTransfers,
  sandboxPayments,
  memoryUnderLoad,
  postgresLocks,
  redisLocks,
  memoryLimits,
  redisLimits,
  postgresLimits,
];
