import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { DatabaseClock } from '../../../platform/clock/index.js';
import { webhookProvider } from '../providers/provider-registry.js';
import { TimestampOutOfToleranceError, UnknownSourceError } from './ingest.errors.js';
import { rawBody, sourceName, type WebhookRequest } from './webhook-request.js';

/** Nothing of the body is parsed, looked up or stored before this guard has let the request pass. */
@Injectable()
export class WebhookSignatureGuard implements CanActivate {
  constructor(private readonly clock: DatabaseClock) {}

  canActivate(context: ExecutionContext): true {
    const request = context.switchToHttp().getRequest<WebhookRequest>();
    const source = request.webhookSource;
    if (!source) throw new UnknownSourceError(sourceName(request));
    const signature = webhookProvider(source.provider).verify(
      {
        headers: request.headers,
        rawHeaders: request.raw.rawHeaders,
        rawBody: rawBody(request),
        topic: request.params.topic,
      },
      source.secrets(),
      source.scheme ?? undefined,
    );
    if (signature.signedAt !== undefined) this.checkWindow(signature.signedAt, source.toleranceSeconds);
    request.webhookSignature = signature;
    return true;
  }

  /** Both ways: a time in the future would otherwise stay replayable for as long as it lies ahead. */
  private checkWindow(signedAt: number, toleranceSeconds: number): void {
    const skewSeconds = signedAt - this.clock.now() / 1000;
    // A signed time is whole seconds: up to one second of the past is rounding.
    if (skewSeconds > toleranceSeconds || skewSeconds < -toleranceSeconds - 1) {
      throw new TimestampOutOfToleranceError(skewSeconds, toleranceSeconds);
    }
  }
}
