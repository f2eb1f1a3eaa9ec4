import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Context, type RequestContext, RequireScopes } from '../../../platform/auth/index.js';
import { Refuses } from '../../../platform/http/index.js';
import { Claim, Idempotent, type RequestClaim } from '../../../platform/idempotency/index.js';
import { ChangeSourceDto, CreateSourceDto, RotateSecretDto, SourceDto, SourceListDto } from './source.dto.js';
import { SourcesService } from './sources.service.js';

@ApiTags('Webhook sources')
@Controller('api/webhook-sources')
export class SourcesController {
  constructor(private readonly sources: SourcesService) {}

  @Get()
  @RequireScopes('webhooks:read')
  @ApiOperation({ summary: 'All sources, by name' })
  async list(): Promise<SourceListDto> {
    return { data: await this.sources.list(), nextCursor: null };
  }

  @Post()
  @RequireScopes('webhooks:write')
  @Idempotent({ required: false, inTransaction: true, confidential: true })
  @ApiOperation({ summary: 'Open a new source' })
  @Refuses(409, 'WEBHOOK_SOURCE_EXISTS', 'the name is taken')
  create(
    @Body() input: CreateSourceDto,
    @Context() context: RequestContext,
    @Claim() claim: RequestClaim | undefined,
  ): Promise<SourceDto> {
    return this.sources.create(input, context, { claim });
  }

  @Get(':name')
  @RequireScopes('webhooks:read')
  @ApiOperation({ summary: 'One source' })
  get(@Param('name') name: string): Promise<SourceDto> {
    return this.sources.get(name);
  }

  @Patch(':name')
  @RequireScopes('webhooks:write')
  @Idempotent({ required: false, inTransaction: true })
  @ApiOperation({ summary: 'Change a source; takes effect on every replica within a second' })
  change(
    @Param('name') name: string,
    @Body() changes: ChangeSourceDto,
    @Context() context: RequestContext,
    @Claim() claim: RequestClaim | undefined,
  ): Promise<SourceDto> {
    return this.sources.change(name, changes, context, claim);
  }

  @Delete(':name')
  @HttpCode(204)
  @RequireScopes('webhooks:write')
  @Idempotent({ required: false, inTransaction: true })
  @ApiOperation({ summary: 'Close a source; its events stay' })
  remove(
    @Param('name') name: string,
    @Context() context: RequestContext,
    @Claim() claim: RequestClaim | undefined,
  ): Promise<void> {
    return this.sources.remove(name, context, claim);
  }

  @Post(':name/secrets')
  @RequireScopes('webhooks:write')
  @Idempotent({ required: false, inTransaction: true, confidential: true })
  @ApiOperation({ summary: 'Rotate the signing secret; the old ones are accepted until the overlap ends' })
  rotate(
    @Param('name') name: string,
    @Body() input: RotateSecretDto,
    @Context() context: RequestContext,
    @Claim() claim: RequestClaim | undefined,
  ): Promise<SourceDto> {
    return this.sources.rotate(name, input, context, claim);
  }
}
