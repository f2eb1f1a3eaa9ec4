import { Controller, HttpCode, Post, Req, UseFilters, UseGuards } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiBody, ApiOperation, ApiParam, ApiTags } from '@nestjs/swagger';
import { Public } from '../../../platform/auth/index.js';
import { RAW_BODY, Refuses } from '../../../platform/http/index.js';
import { UnknownSourceError } from './ingest.errors.js';
import { IngestService } from './ingest.service.js';
import { WebhookAcceptedDto } from './webhook-accepted.dto.js';
import { WebhookRejectionFilter } from './webhook-rejection.filter.js';
import { sourceName, type WebhookRequest } from './webhook-request.js';
import { WebhookSignatureGuard } from './webhook-signature.guard.js';
import { WebhookSourceGuard } from './webhook-source.guard.js';

/** Whatever the provider sends; its exact bytes are signed. */
const BODY = { schema: { type: 'object', additionalProperties: true } };

/** Where providers send. Public: the signature is the credential. */
@ApiTags('Webhooks in')
@Controller()
@Public()
@UseGuards(WebhookSourceGuard, WebhookSignatureGuard)
@UseFilters(WebhookRejectionFilter)
@Refuses(400, 'WEBHOOK_TIMESTAMP_OUT_OF_TOLERANCE', 'signed too long ago or in the future')
@Refuses(
  400,
  ['WEBHOOK_PAYLOAD_INVALID', 'WEBHOOK_EVENT_ID_INVALID'],
  'rightly signed, and nothing we can read or name',
)
@Refuses(401, ['WEBHOOK_SIGNATURE_MISSING', 'WEBHOOK_SIGNATURE_INVALID'])
@Refuses(403, 'IP_NOT_ALLOWED', "not on the source's list")
@Refuses(404, 'NOT_FOUND', 'there is no such source')
@Refuses(429, 'RATE_LIMIT_EXCEEDED', 'the source lets so many come from one address in a minute')
@Refuses(504, 'WEBHOOK_TIMEOUT', 'the handlers of an inline source took too long; the event is stored')
export class IngestController {
  constructor(private readonly ingest: IngestService) {}

  @Post('webhooks/:source')
  @HttpCode(200)
  @RouteConfig(RAW_BODY)
  @ApiBody(BODY)
  @ApiOperation({ summary: 'Receive a signed webhook; 200 once it is stored' })
  @ApiParam({ name: 'source', example: 'stripe' })
  receive(@Req() request: WebhookRequest): Promise<WebhookAcceptedDto> {
    return this.accept(request);
  }

  @Post('webhooks/:source/:topic')
  @HttpCode(200)
  @RouteConfig(RAW_BODY)
  @ApiBody(BODY)
  @ApiOperation({ summary: 'Receive a signed webhook whose type is in the path (Gorgias)' })
  @ApiParam({ name: 'source', example: 'gorgias' })
  @ApiParam({ name: 'topic', example: 'ticket' })
  receiveTopic(@Req() request: WebhookRequest): Promise<WebhookAcceptedDto> {
    return this.accept(request);
  }

  @Post('api/stripe/webhook')
  @HttpCode(200)
  @RouteConfig({ ...RAW_BODY, webhookSource: 'stripe' })
  @ApiBody(BODY)
  @ApiOperation({ summary: 'The same as /webhooks/stripe' })
  receiveStripe(@Req() request: WebhookRequest): Promise<WebhookAcceptedDto> {
    return this.accept(request);
  }

  @Post('api/paystack/webhook')
  @HttpCode(200)
  @RouteConfig({ ...RAW_BODY, webhookSource: 'paystack' })
  @ApiBody(BODY)
  @ApiOperation({ summary: 'The same as /webhooks/paystack' })
  receivePaystack(@Req() request: WebhookRequest): Promise<WebhookAcceptedDto> {
    return this.accept(request);
  }

  private accept(request: WebhookRequest): Promise<WebhookAcceptedDto> {
    const { webhookSource, webhookSignature } = request;
    if (!webhookSource || !webhookSignature) throw new UnknownSourceError(sourceName(request));
    return this.ingest.accept(webhookSource, webhookSignature, request);
  }
}
