import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { CONFIG, type Config } from '../../../config/index.js';
import { Metrics } from '../../../platform/metrics/index.js';
import { Every } from '../../../platform/schedule/index.js';
import { type Checkpoint, checkpointToJson } from '../checkpoints/checkpoint.js';
import { CheckpointFile } from '../checkpoints/checkpoint-file.js';
import { SealBatch, type SealedBatch } from './seal-batch.js';

const EVERY_MS = 1_000;

/** Lines per transaction: at 500 a line costs a fifth more, at 5,000 no less (26,000–30,000 lines a second). */
const BATCH_SIZE = 1_000;

/** Rest after a full batch, as a multiple of its time: a backlog takes a fifth of the time, requests have the others. */
const REST_FACTOR = 4;

/** Seconds a line may wait before the sealer stops resting: until sealed it is not yet tamper-evident. */
const MAX_LAG = 60;

/** Full batches a process that ends takes time for; what is left waits for the next start. */
const CLOSING_BATCHES = 10;

/**
 * Chains unsealed lines every second, in every process that does background work. Any number of replicas may run it:
 * one seals at a time, the others pass.
 */
@Injectable()
export class AuditSealer implements OnApplicationShutdown {
  private readonly logger = new Logger(AuditSealer.name);
  private readonly sealed;
  private readonly batchSeconds;
  private readonly lag;

  constructor(
    @Inject(CONFIG) private readonly config: Pick<Config, 'role'>,
    private readonly batch: SealBatch,
    private readonly file: CheckpointFile,
    metrics: Metrics,
  ) {
    this.sealed = metrics.counter('holdfast_audit_lines_sealed_total', 'Audit lines chained by this process');
    this.batchSeconds = metrics.histogram('holdfast_audit_seal_seconds', 'Time to seal one batch of audit lines');
    this.lag = metrics.gauge(
      'holdfast_audit_seal_lag_seconds',
      'How long the oldest line of the last batch had waited',
    );
  }

  /**
   * Seals until nothing is left, another replica is at it, or the process ends.
   *
   * @returns how many lines were sealed
   */
  @Every(EVERY_MS, { name: 'audit sealing', role: 'background', whileDraining: true })
  async seal(stopping?: AbortSignal): Promise<number> {
    let lines = 0;
    for (;;) {
      const started = performance.now();
      const sealed = await this.sealBatch();
      lines += sealed?.ids.length ?? 0;
      if (!sealed || sealed.ids.length < BATCH_SIZE) return lines;
      if (sealed.lag < MAX_LAG) await rest((performance.now() - started) * REST_FACTOR, stopping);
      if (stopping?.aborted) return lines;
    }
  }

  /** Seals what the last requests recorded and closes with a checkpoint. */
  async onApplicationShutdown(): Promise<void> {
    if (this.config.role === 'api') return;
    try {
      for (let batches = 0; batches < CLOSING_BATCHES; batches++) {
        const sealed = await this.sealBatch(true);
        if (!sealed || sealed.ids.length < BATCH_SIZE) break;
      }
    } catch (error) {
      this.logger.warn({ msg: 'The last audit lines stay unsealed until the next start', err: error });
    }
  }

  private async sealBatch(closing = false): Promise<SealedBatch | undefined> {
    const stop = this.batchSeconds.startTimer();
    const sealed = await this.batch.run(BATCH_SIZE, closing);
    if (!sealed) return undefined;
    this.lag.set(sealed.lag);
    if (sealed.ids.length > 0) {
      stop();
      this.sealed.inc(sealed.ids.length);
    }
    if (sealed.cut) this.logger.error('The audit log is not what it was: sealed lines were removed from its end');
    if (sealed.checkpoint) await this.publish(sealed.checkpoint);
    return sealed;
  }

  /** To the log and the file, both outside the database, and only once it is committed there. */
  private async publish(checkpoint: Checkpoint): Promise<void> {
    this.logger.log({ msg: 'Audit checkpoint', checkpoint: checkpointToJson(checkpoint) });
    try {
      await this.file.append(checkpoint);
    } catch (error) {
      this.logger.warn({ msg: `The audit checkpoint could not be written to ${this.file.path}`, err: error });
    }
  }
}

async function rest(milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
  await delay(milliseconds, undefined, { signal }).catch(() => undefined);
}
