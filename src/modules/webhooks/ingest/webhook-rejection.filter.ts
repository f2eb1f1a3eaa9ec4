import { type ArgumentsHost, Catch, Injectable } from '@nestjs/common';
import { AppError } from '../../../kernel/app-error.js';
import { ProblemFilter } from '../../../platform/http/index.js';
import { UnknownSourceError } from './ingest.errors.js';
import { rawBody, sourceName, type WebhookRequest } from './webhook-request.js';
import { WebhookRejections } from './webhook-rejections.js';

/** A refused webhook leaves an audit line and a count behind, then is answered like any other error. */
@Catch()
@Injectable()
export class WebhookRejectionFilter extends ProblemFilter {
  constructor(private readonly rejections: WebhookRejections) {
    super();
  }

  override catch(error: unknown, host: ArgumentsHost): void {
    if (error instanceof AppError) {
      const request = host.switchToHttp().getRequest<WebhookRequest>();
      const source = error instanceof UnknownSourceError ? undefined : sourceName(request);
      this.rejections.note(error, request, source, rawBody(request));
    }
    super.catch(error, host);
  }
}
