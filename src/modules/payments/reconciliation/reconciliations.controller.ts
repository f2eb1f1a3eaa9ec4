import { Body, Controller, Get, HttpCode, Param, Post, Query } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import {
  Context,
  CurrentPrincipal,
  type Principal,
  type RequestContext,
  RequireScopes,
} from '../../../platform/auth/index.js';
import { Refuses } from '../../../platform/http/index.js';
import { Claim, Idempotent, type RequestClaim } from '../../../platform/idempotency/index.js';
import { requireService } from '../payment-caller.js';
import {
  NewReconciliationDto,
  ReconciliationDetailDto,
  ReconciliationDetailQueryDto,
  ReconciliationDto,
  ReconciliationPageDto,
  ReconciliationQueryDto,
} from './reconciliation.dto.js';
import { ReconciliationsService } from './reconciliations.service.js';

@ApiTags('Payments')
@Controller('api/reconciliations')
export class ReconciliationsController {
  constructor(private readonly reconciliations: ReconciliationsService) {}

  @Post()
  @HttpCode(202)
  @RequireScopes('payments:write')
  @Idempotent({ required: false, inTransaction: true })
  @ApiOperation({ summary: 'Compare payments, provider and ledger; what no webhook told is made up for' })
  @ApiResponse({ status: 202, type: ReconciliationDto, description: 'A worker begins in a moment' })
  @Refuses(403, 'FORBIDDEN', 'not for end users')
  @Refuses(409, 'RECONCILIATION_RUNNING')
  create(
    @Body() input: NewReconciliationDto,
    @CurrentPrincipal() principal: Principal,
    @Context() context: RequestContext,
    @Claim() claim: RequestClaim | undefined,
  ): Promise<ReconciliationDto> {
    requireService(principal, 'reconcile');
    return this.reconciliations.create(input, context, claim);
  }

  @Get()
  @RequireScopes('payments:read')
  @ApiOperation({ summary: 'Reconciliations, newest first' })
  @Refuses(403, 'FORBIDDEN', 'not for end users')
  list(
    @Query() query: ReconciliationQueryDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ReconciliationPageDto> {
    requireService(principal, 'see reconciliations');
    return this.reconciliations.list(query);
  }

  @Get(':id')
  @RequireScopes('payments:read')
  @ApiOperation({ summary: 'How far a reconciliation has come; its report, with a page of its differences' })
  @Refuses(403, 'FORBIDDEN', 'not for end users')
  find(
    @Param('id') id: string,
    @Query() query: ReconciliationDetailQueryDto,
    @CurrentPrincipal() principal: Principal,
  ): Promise<ReconciliationDetailDto> {
    requireService(principal, 'see a reconciliation');
    return this.reconciliations.find(id, query);
  }
}
