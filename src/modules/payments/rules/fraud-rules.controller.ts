import { Body, Controller, Delete, Get, HttpCode, Param, Patch, Post, Query } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { Context, type RequestContext, RequireScopes } from '../../../platform/auth/index.js';
import { PageQueryDto } from '../../../platform/http/index.js';
import { Claim, Idempotent, type RequestClaim } from '../../../platform/idempotency/index.js';
import {
  BacktestDto,
  BacktestInputDto,
  ChangeFraudRuleDto,
  FraudRuleDto,
  FraudRulePageDto,
  NewFraudRuleDto,
} from './dto/fraud-rule.dto.js';
import { FraudRulesService } from './fraud-rules.service.js';

/** Scopes of their own: who takes payments must not be able to switch off what holds them back. */
@ApiTags('Fraud rules')
@Controller('api/fraud-rules')
export class FraudRulesController {
  constructor(private readonly rules: FraudRulesService) {}

  @Get()
  @RequireScopes('fraud:read')
  @ApiOperation({ summary: 'All rules, newest first' })
  list(@Query() query: PageQueryDto): Promise<FraudRulePageDto> {
    return this.rules.list(query);
  }

  @Post()
  @RequireScopes('fraud:write')
  @Idempotent({ required: false, inTransaction: true })
  @ApiOperation({ summary: 'A new rule, for every payment created from now on' })
  create(
    @Body() input: NewFraudRuleDto,
    @Context() context: RequestContext,
    @Claim() claim: RequestClaim | undefined,
  ): Promise<FraudRuleDto> {
    return this.rules.create(input, context, claim);
  }

  @Get(':id')
  @RequireScopes('fraud:read')
  @ApiOperation({ summary: 'One rule' })
  get(@Param('id') id: string): Promise<FraudRuleDto> {
    return this.rules.get(id);
  }

  @Patch(':id')
  @RequireScopes('fraud:write')
  @Idempotent({ required: false, inTransaction: true })
  @ApiOperation({ summary: 'Change a rule, for every payment created from now on' })
  change(
    @Param('id') id: string,
    @Body() changes: ChangeFraudRuleDto,
    @Context() context: RequestContext,
    @Claim() claim: RequestClaim | undefined,
  ): Promise<FraudRuleDto> {
    return this.rules.change(id, changes, context, claim);
  }

  @Delete(':id')
  @HttpCode(204)
  @RequireScopes('fraud:write')
  @Idempotent({ required: false, inTransaction: true })
  @ApiOperation({ summary: 'Delete a rule; what it made of payments stays recorded' })
  remove(
    @Param('id') id: string,
    @Context() context: RequestContext,
    @Claim() claim: RequestClaim | undefined,
  ): Promise<void> {
    return this.rules.remove(id, context, claim);
  }

  @Post(':id/backtest')
  @HttpCode(200)
  @RequireScopes('fraud:read')
  @ApiOperation({
    summary: 'What the rule would have made of the payments of the last days; changes nothing',
    description: 'What takes longer than 20 seconds is answered with 503: ask for fewer days.',
  })
  @ApiBody({ type: BacktestInputDto, required: false })
  @ApiResponse({ status: 200, type: BacktestDto })
  backtest(@Param('id') id: string, @Body() { days }: BacktestInputDto): Promise<BacktestDto> {
    return this.rules.backtest(id, days);
  }
}
