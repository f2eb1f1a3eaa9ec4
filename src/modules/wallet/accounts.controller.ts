import { Body, Controller, Get, Post, Query, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  Context,
  CurrentPrincipal,
  type Principal,
  type RequestContext,
  RequireScopes,
} from '../../platform/auth/index.js';
import { Refuses } from '../../platform/http/index.js';
import { Claim, Idempotent, type RequestClaim } from '../../platform/idempotency/index.js';
import { AccountsService } from './accounts.service.js';
import { AccountDto, BalanceDto, BalanceQueryDto, OpenAccountDto } from './dto/account.dto.js';

@ApiTags('Wallet')
@Controller('api/wallet')
export class AccountsController {
  constructor(private readonly accounts: AccountsService) {}

  @Post('accounts')
  @RequireScopes('wallet:write')
  @Idempotent({ required: false, inTransaction: true })
  @ApiOperation({ summary: 'Open an account: one for each user and currency' })
  @ApiResponse({ status: 201, type: AccountDto })
  @ApiResponse({ status: 200, type: AccountDto, description: 'It was open already, and is as it was' })
  @Refuses(403, 'FORBIDDEN', 'an end user may not open one that falls below zero')
  @Refuses(404, 'NOT_FOUND', 'not yours')
  open(
    @Body() input: OpenAccountDto,
    @CurrentPrincipal() principal: Principal,
    @Context() context: RequestContext,
    @Claim() claim: RequestClaim | undefined,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<AccountDto> {
    return this.accounts.open(input, principal, context, claim, (created) => {
      reply.status(created ? 201 : 200);
    });
  }

  @Get('balance')
  @RequireScopes('wallet:read')
  @ApiOperation({ summary: 'What is in an account, now or at a moment in the past' })
  @ApiResponse({ status: 200, type: BalanceDto })
  @Refuses(400, 'VALIDATION_FAILED', 'also for a time that is still to come')
  @Refuses(404, 'NOT_FOUND', 'no such account, or not yours')
  balance(@Query() query: BalanceQueryDto, @CurrentPrincipal() principal: Principal): Promise<BalanceDto> {
    return this.accounts.balance(query, principal);
  }
}
