import { Body, Controller, Delete, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import {
  Authenticated,
  Context,
  CurrentPrincipal,
  type Principal,
  type RequestContext,
  RequireScopes,
} from '../../platform/auth/index.js';
import { PageQueryDto, Refuses } from '../../platform/http/index.js';
import { Claim, Idempotent, type RequestClaim } from '../../platform/idempotency/index.js';
import { ApiKeyDto, ApiKeyPageDto, CreateApiKeyDto, CreatedApiKeyDto, RevokeApiKeyQueryDto } from './api-key.dto.js';
import { ApiKeysService } from './api-keys.service.js';

@ApiTags('API keys')
@Controller('api/api-keys')
export class ApiKeysController {
  constructor(private readonly apiKeys: ApiKeysService) {}

  @Get()
  @RequireScopes('admin')
  @ApiOperation({ summary: 'List API keys, newest first' })
  @ApiResponse({ status: 200, type: ApiKeyPageDto })
  list(@Query() { limit, cursor }: PageQueryDto): Promise<ApiKeyPageDto> {
    return this.apiKeys.list(limit, cursor);
  }

  @Post()
  @Authenticated()
  @Idempotent({ required: false, inTransaction: true, confidential: true })
  @ApiOperation({ summary: 'Create an API key with at most the scopes, the life and the limits of the key that asks' })
  @ApiResponse({
    status: 201,
    type: CreatedApiKeyDto,
    description: 'The only answer that shows `key`, and its repeats',
  })
  @Refuses(403, 'FORBIDDEN', 'a scope the asking key lacks, limits without being an admin, or an end user')
  create(
    @Body() { name, scopes, expiresAt, limits }: CreateApiKeyDto,
    @CurrentPrincipal() principal: Principal,
    @Context() context: RequestContext,
    @Claim() claim: RequestClaim | undefined,
  ): Promise<CreatedApiKeyDto> {
    const input = { name, scopes, limits, expiresAt: expiresAt ? new Date(expiresAt) : null };
    return this.apiKeys.create(input, principal, context, claim);
  }

  @Get(':id')
  @RequireScopes('admin')
  @ApiOperation({ summary: 'One API key' })
  @ApiResponse({ status: 200, type: ApiKeyDto })
  find(@Param('id') id: string): Promise<ApiKeyDto> {
    return this.apiKeys.find(id);
  }

  @Delete(':id')
  @HttpCode(204)
  @RequireScopes('admin')
  @Idempotent({ required: false, inTransaction: true })
  @ApiOperation({
    summary: 'Revoke an API key and all it made, for good; they stop working everywhere within a second',
  })
  @ApiResponse({ status: 204, description: 'Revoked, now or before' })
  revoke(
    @Param('id') id: string,
    @Query() { descendants }: RevokeApiKeyQueryDto,
    @Context() context: RequestContext,
    @Claim() claim: RequestClaim | undefined,
  ): Promise<void> {
    return this.apiKeys.revoke(id, context, { descendants: descendants === 'true', claim });
  }
}
