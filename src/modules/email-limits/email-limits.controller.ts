import { Body, Controller, Delete, Get, HttpCode, Param, Put } from '@nestjs/common';
import { ApiOperation, ApiParam, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Context, type RequestContext, RequireScopes } from '../../platform/auth/index.js';
import { Refuses } from '../../platform/http/index.js';
import { Claim, Idempotent, type RequestClaim } from '../../platform/idempotency/index.js';
import { EMAIL_LIMIT_KINDS } from './email-limit-kind.js';
import { EmailLimitDto, EmailLimitOverrideDto, SetEmailLimitOverrideDto } from './email-limit.dto.js';
import { EmailLimitsService } from './email-limits.service.js';

const KIND = { name: 'kind', enum: EMAIL_LIMIT_KINDS };
const EMAIL = {
  name: 'email',
  description: 'In any spelling, percent-encoded',
  format: 'email',
  example: 'anna@example.com',
};

@ApiTags('Email limits')
@RequireScopes('admin')
@Controller('api/email-limits/:kind/:email')
export class EmailLimitsController {
  constructor(private readonly emailLimits: EmailLimitsService) {}

  @Get()
  @ApiParam(KIND)
  @ApiParam(EMAIL)
  @ApiOperation({ summary: 'How often mail was asked for with an e-mail address; the same for one that nobody has' })
  @ApiResponse({ status: 200, type: EmailLimitDto })
  show(@Param('kind') kind: string, @Param('email') email: string): Promise<EmailLimitDto> {
    return this.emailLimits.show(kind, email);
  }

  @Put('override')
  @Idempotent({ required: false, inTransaction: true })
  @ApiParam(KIND)
  @ApiParam(EMAIL)
  @ApiOperation({ summary: 'Another limit for one e-mail address, in force at once' })
  @ApiResponse({ status: 200, type: EmailLimitOverrideDto })
  override(
    @Param('kind') kind: string,
    @Param('email') email: string,
    @Body() body: SetEmailLimitOverrideDto,
    @Context() context: RequestContext,
    @Claim() claim: RequestClaim | undefined,
  ): Promise<EmailLimitOverrideDto> {
    return this.emailLimits.override(kind, email, body, context, claim);
  }

  @Delete('override')
  @HttpCode(204)
  @Idempotent({ required: false, inTransaction: true })
  @ApiParam(KIND)
  @ApiParam(EMAIL)
  @ApiOperation({ summary: 'Back to the configured limit' })
  @ApiResponse({ status: 204, description: 'Removed' })
  @Refuses(404, 'NOT_FOUND', 'there is none')
  restore(
    @Param('kind') kind: string,
    @Param('email') email: string,
    @Context() context: RequestContext,
    @Claim() claim: RequestClaim | undefined,
  ): Promise<void> {
    return this.emailLimits.restore(kind, email, context, claim);
  }
}
