import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import { Inject, Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import { Interval } from '@nestjs/schedule';
import { CONFIG, type Config } from '../../config/index.js';
import { Metrics } from '../../platform/metrics/index.js';
import { type Checkpoint, checkpointToJson } from './checkpoint.js';
import { CheckpointFile } from './checkpoint-file.js';
import { SealBatch, type SealedBatch } from './seal-batch.js';
import { sealPace } from './seal-pace.js';

const EVERY_MS = 1_000;
const MAX_BATCHES = 10;
const CLOSING_BATCH = 5_000;

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
  private utilization = performance.eventLoopUtilization();
  private readonly stopping = new AbortController();
  private running: Promise<number> | undefined;
  private failing = false;
  private tailReported = false;

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

  @Interval(EVERY_MS)
  async tick(): Promise<void> {
    if (this.config.role === 'api' || this.stopping.signal.aborted || this.running) return;
    try {
      await this.seal();
      if (this.failing) this.logger.log('Sealing of audit lines works again');
      this.failing = false;
    } catch (error) {
      // Unsealed lines wait in the table; once is enough to say why.
      if (!this.failing)
        this.logger.error({ msg: 'Audit lines cannot be sealed; trying again every second', err: error });
      this.failing = true;
    }
  }

  /**
   * Seals until nothing is left, another replica is at it, or ten batches are done; at the pace the load allows.
   *
   * @returns how many lines were sealed
   */
  seal(): Promise<number> {
    this.running ??= this.sealBatches().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  /** Seals what the last requests recorded and closes with a checkpoint. */
  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    if (this.config.role === 'api') return;
    try {
      await this.running;
      for (let batches = 0; batches < MAX_BATCHES; batches++) {
        const sealed = await this.sealBatch(CLOSING_BATCH, true);
        if (!sealed || sealed.ids.length < CLOSING_BATCH) break;
      }
    } catch (error) {
      this.logger.warn({ msg: 'The last audit lines stay unsealed until the next start', err: error });
    }
  }

  private async sealBatches(): Promise<number> {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.utilization);
    this.utilization = now;
    let lines = 0;
    let pace = sealPace(utilization, 0);
    for (let batches = 0; batches < MAX_BATCHES && !this.stopping.signal.aborted; batches++) {
      const started = performance.now();
      const sealed = await this.sealBatch(pace.batchSize);
      if (!sealed) break;
      lines += sealed.ids.length;
      if (sealed.ids.length < pace.batchSize) break;
      await this.rest((performance.now() - started) * pace.restFactor);
      pace = sealPace(utilization, sealed.lag);
    }
    return lines;
  }

  private async sealBatch(size: number, closing = false): Promise<SealedBatch | undefined> {
    const stop = this.batchSeconds.startTimer();
    const sealed = await this.batch.run(size, closing);
    if (!sealed) return undefined;
    this.lag.set(sealed.lag);
    if (sealed.ids.length > 0) {
      stop();
      this.sealed.inc(sealed.ids.length);
    }
    if (sealed.tailMissing && !this.tailReported) {
      this.tailReported = true;
      this.logger.error('The audit log is shorter than its last checkpoint: lines were removed');
    }
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

  private async rest(milliseconds: number): Promise<void> {
    await delay(milliseconds, undefined, { signal: this.stopping.signal }).catch(() => undefined);
  }
}
