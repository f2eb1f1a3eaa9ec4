import { Body, Controller, Delete, Get, HttpCode, Param, Put, Query } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Context, type RequestContext, RequireScopes } from '../../platform/auth/index.js';
import { Refuses } from '../../platform/http/index.js';
import { Claim, Idempotent, type RequestClaim } from '../../platform/idempotency/index.js';
import { SUBJECT_FORM } from './limited-subject.js';
import {
  RateLimitOverrideDto,
  RateLimitsDto,
  RemoveRateLimitOverrideQueryDto,
  SetRateLimitOverrideDto,
} from './rate-limit.dto.js';
import { RateLimitsService } from './rate-limits.service.js';

const SUBJECT = {
  name: 'subject',
  description: '`api-key:<id>`, `user:<id>`, `ip:<address>` (IPv6: its /64) or `everyone`',
  schema: { type: 'string', pattern: SUBJECT_FORM, example: 'ip:192.0.2.1' },
};

@ApiTags('Rate limits')
@RequireScopes('admin')
@Controller('api/rate-limits')
export class RateLimitsController {
  constructor(private readonly rateLimits: RateLimitsService) {}

  @Get(':subject')
  @ApiParam(SUBJECT)
  @ApiOperation({ summary: 'What limits somebody, and how much of it is used' })
  @ApiResponse({ status: 200, type: RateLimitsDto })
  @Refuses(404, 'NOT_FOUND', 'no such API key')
  show(@Param('subject') subject: string): Promise<RateLimitsDto> {
    return this.rateLimits.show(subject);
  }

  @Put(':subject/override')
  @Idempotent({ required: false, inTransaction: true })
  @ApiParam(SUBJECT)
  @ApiOperation({ summary: 'Another limit for one subject, or for everyone; in force everywhere within a second' })
  @ApiResponse({ status: 200, type: RateLimitOverrideDto })
  @Refuses(404, 'NOT_FOUND', 'no such API key')
  override(
    @Param('subject') subject: string,
    @Body() body: SetRateLimitOverrideDto,
    @Context() context: RequestContext,
    @Claim() claim: RequestClaim | undefined,
  ): Promise<RateLimitOverrideDto> {
    return this.rateLimits.override(subject, body, context, claim);
  }

  @Delete(':subject/override')
  @HttpCode(204)
  @Idempotent({ required: false, inTransaction: true })
  @ApiParam(SUBJECT)
  @ApiOperation({ summary: 'Back to the limit that would apply without an override' })
  @ApiResponse({ status: 204, description: 'Removed' })
  @Refuses(404, 'NOT_FOUND', 'there is none')
  remove(
    @Param('subject') subject: string,
    @Query() { rule }: RemoveRateLimitOverrideQueryDto,
    @Context() context: RequestContext,
    @Claim() claim: RequestClaim | undefined,
  ): Promise<void> {
    return this.rateLimits.remove(subject, rule, context, claim);
  }
}
