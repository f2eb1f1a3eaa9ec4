import { type ArgumentsHost, Catch, Injectable } from '@nestjs/common';
import { AppError } from '../../../kernel/app-error.js';
import { ProblemFilter } from '../../../platform/http/index.js';
import { WebhookMetrics } from '../webhook-metrics.js';
import { UnknownSourceError } from './ingest.errors.js';
import { RejectionLog } from './rejection-log.js';
import { rawBody, sourceName, type WebhookRequest } from './webhook-request.js';

/** A refused webhook leaves an audit line and a count behind, then is answered like any other error. */
@Catch()
@Injectable()
export class WebhookRejectionFilter extends ProblemFilter {
  constructor(
    private readonly rejections: RejectionLog,
    private readonly metrics: WebhookMetrics,
  ) {
    super();
  }

  override catch(error: unknown, host: ArgumentsHost): void {
    const request = host.switchToHttp().getRequest<WebhookRequest>();
    if (error instanceof AppError) {
      // An unknown name is the sender's text: as a label it could be anything, any number of times.
      const source = error instanceof UnknownSourceError ? 'unknown' : sourceName(request);
      this.metrics.refused(source, error.code);
      if (error.status < 500 && error.status !== 429 && !(error instanceof UnknownSourceError)) {
        this.rejections.record(source, error, request, rawBody(request));
      }
    }
    super.catch(error, host);
  }
}
