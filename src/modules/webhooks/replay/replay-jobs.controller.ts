import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Context, type RequestContext, RequireScopes } from '../../../platform/auth/index.js';
import { PageQueryDto } from '../../../platform/http/index.js';
import { Claim, Idempotent, type RequestClaim } from '../../../platform/idempotency/index.js';
import { CreateReplayJobDto, ReplayJobDto, ReplayJobListDto } from './replay-job.dto.js';
import { ReplayJobsService } from './replay-jobs.service.js';

@ApiTags('Webhook events')
@Controller('api/replay-jobs')
export class ReplayJobsController {
  constructor(private readonly jobs: ReplayJobsService) {}

  @Post()
  @HttpCode(202)
  @RequireScopes('webhooks:write')
  @Idempotent({ required: false, inTransaction: true })
  @ApiOperation({ summary: 'Replay many events, at a bounded rate; or count them with dryRun' })
  create(
    @Body() input: CreateReplayJobDto,
    @Context() context: RequestContext,
    @Claim() claim: RequestClaim | undefined,
  ): Promise<ReplayJobDto> {
    return this.jobs.create(input, context, claim);
  }

  @Get()
  @RequireScopes('webhooks:read')
  @ApiOperation({ summary: 'Bulk replays, newest first' })
  list(@Query() query: PageQueryDto): Promise<ReplayJobListDto> {
    return this.jobs.list(query);
  }

  @Get(':id')
  @RequireScopes('webhooks:read')
  @ApiOperation({ summary: 'The progress of a bulk replay' })
  get(@Param('id') id: string): Promise<ReplayJobDto> {
    return this.jobs.get(id);
  }

  @Delete(':id')
  @RequireScopes('webhooks:write')
  @Idempotent({ required: false, inTransaction: true })
  @ApiOperation({ summary: 'Cancel a bulk replay; what was replayed stays replayed' })
  cancel(
    @Param('id') id: string,
    @Context() context: RequestContext,
    @Claim() claim: RequestClaim | undefined,
  ): Promise<ReplayJobDto> {
    return this.jobs.cancel(id, context, claim);
  }
}
