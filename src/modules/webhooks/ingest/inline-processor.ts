import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../../config/index.js';
import { WebhookTimeoutError } from './ingest.errors.js';
import { ClaimsRepository } from '../processing/claims.repository.js';
import { EventProcessor, type ProcessingResult } from '../processing/event-processor.js';

/** Runs an event in the request that brought it, for sources with `processing: "inline"`. */
@Injectable()
export class InlineProcessor {
  private running = 0;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly claims: ClaimsRepository,
    private readonly processor: EventProcessor,
  ) {}

  /**
   * Takes a place, to be given back with `leave`. Slow handlers must not take every database connection from those who
   * only want to store an event.
   *
   * @returns false when half the connections are taken: the event is then left to the workers
   */
  enter(): boolean {
    if (this.running >= Math.max(1, Math.floor(this.config.DB_POOL_SIZE / 2))) return false;
    this.running += 1;
    return true;
  }

  leave(): void {
    this.running -= 1;
  }

  /**
   * @param id of an event stored under the claim `claimId`
   * @throws WebhookTimeoutError (504) when the time is up; the attempt is rolled back and recorded behind the answer
   */
  async run(id: string, claimId: string): Promise<ProcessingResult> {
    const timeoutMs = this.config.WEBHOOK_PROCESSING_TIMEOUT_MS;
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new WebhookTimeoutError(timeoutMs)), timeoutMs);
    });
    try {
      return await Promise.race([this.claimAndProcess(id, claimId), timeout]);
    } finally {
      clearTimeout(timer);
    }
  }

  private async claimAndProcess(id: string, claimId: string): Promise<ProcessingResult> {
    const event = await this.claims.claimed(id, claimId);
    return event ? this.processor.processOne(event) : 'LOST';
  }
}
