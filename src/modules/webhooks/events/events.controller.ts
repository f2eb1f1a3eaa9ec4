import { Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Context, type RequestContext, RequireScopes } from '../../../platform/auth/index.js';
import { Refuses } from '../../../platform/http/index.js';
import { Claim, Idempotent, type RequestClaim } from '../../../platform/idempotency/index.js';
import { EventDetailDto, EventListDto, EventQueryDto, EventStatusDto, ReplayedDto } from './event.dto.js';
import { EventsService } from './events.service.js';

@ApiTags('Webhook events')
@Controller('api')
export class EventsController {
  constructor(private readonly events: EventsService) {}

  @Get('webhook-events')
  @RequireScopes('webhooks:read')
  @ApiOperation({ summary: 'Events, newest first' })
  list(@Query() query: EventQueryDto): Promise<EventListDto> {
    return this.events.list(query);
  }

  @Get('webhook-events/:id')
  @RequireScopes('webhooks:read')
  @ApiOperation({ summary: 'One event with its payload, headers and attempts' })
  get(@Param('id') id: string): Promise<EventDetailDto> {
    return this.events.get(id);
  }

  @Get('webhook-events/by-event-id/:source/:eventId')
  @RequireScopes('webhooks:read')
  @ApiOperation({ summary: "An event's status by the provider's event id" })
  status(@Param('source') source: string, @Param('eventId') eventId: string): Promise<EventStatusDto> {
    return this.events.status(source, eventId);
  }

  @Get('stripe/webhook/status/:eventId')
  @RequireScopes('webhooks:read')
  @ApiOperation({ summary: 'The same for the source "stripe"' })
  stripeStatus(@Param('eventId') eventId: string): Promise<EventStatusDto> {
    return this.events.status('stripe', eventId);
  }

  @Post('webhook-events/:id/replay')
  @HttpCode(202)
  @RequireScopes('webhooks:write')
  @Idempotent({ required: false, inTransaction: true })
  @ApiOperation({ summary: 'Run an event again now, with its retries anew' })
  @Refuses(409, 'WEBHOOK_EVENT_IN_PROGRESS', 'a worker runs it right now')
  replay(
    @Param('id') id: string,
    @Context() context: RequestContext,
    @Claim() claim: RequestClaim | undefined,
  ): Promise<ReplayedDto> {
    return this.events.replay(id, context, claim);
  }
}
