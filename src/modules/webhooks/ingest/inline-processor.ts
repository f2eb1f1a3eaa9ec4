import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../../config/index.js';
import { WebhookTimeoutError } from './ingest.errors.js';
import { ClaimsRepository } from '../processing/claims.repository.js';
import { EventProcessor, type ProcessingResult } from '../processing/event-processor.js';

/** Runs an event in the request that brought it, for sources with `processing: "inline"`. */
@Injectable()
export class InlineProcessor {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly claims: ClaimsRepository,
    private readonly processor: EventProcessor,
  ) {}

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
    return event ? this.processor.process(event) : 'LOST';
  }
}
