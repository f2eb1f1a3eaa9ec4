import { Injectable } from '@nestjs/common';
import { toProblem } from '../../../platform/http/index.js';
import { WebhookMetrics } from '../webhook-metrics.js';
import { RejectionLog } from './rejection-log.js';
import type { WebhookRequest } from './webhook-request.js';

/** Counts every webhook that is refused; refusals by a source leave a warning and an audit line as well. */
@Injectable()
export class WebhookRejections {
  constructor(
    private readonly log: RejectionLog,
    private readonly metrics: WebhookMetrics,
  ) {}

  /**
   * @param source its name; undefined for an unknown one, whose name is the sender's text: as a label it could be anything
   * @param body undefined when it was not read to its end
   */
  note(error: unknown, request: WebhookRequest, source: string | undefined, body?: Buffer): void {
    const { code, status } = toProblem(error, '', request.id).problem;
    this.metrics.refused(source ?? 'unknown', code);
    if (source === undefined || status >= 500 || status === 429) return;
    const reason = error instanceof Error && 'reason' in error ? error.reason : undefined;
    this.log.record(source, { code, reason }, request, body);
  }
}
