import { Body, Controller, Get, Param, Post, Query } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, type Principal, RequireScopes } from '../../platform/auth/index.js';
import { Refuses } from '../../platform/http/index.js';
import { Idempotent } from '../../platform/idempotency/index.js';
import { type Caller, CurrentCaller } from './caller.js';
import { NoBodyDto } from './dto/no-body.dto.js';
import { NewTransactionDto, StatementQueryDto, TransactionDto, TransactionPageDto } from './dto/transaction.dto.js';
import { TransactionsService } from './transactions.service.js';

@ApiTags('Wallet')
@Controller('api/wallet/transactions')
export class TransactionsController {
  constructor(private readonly transactions: TransactionsService) {}

  @Post()
  @RequireScopes('wallet:write')
  @Idempotent({ required: true, inTransaction: true })
  @ApiOperation({ summary: 'Bring money in from outside, or take it out, for example for usage' })
  @ApiResponse({ status: 201, type: TransactionDto })
  @Refuses(402, 'INSUFFICIENT_FUNDS')
  @Refuses(403, 'FORBIDDEN', 'an end user may not CREDIT, nor charge by reference')
  @Refuses(404, 'NOT_FOUND', 'no such account, or not yours')
  @Refuses(409, ['REFERENCE_ALREADY_USED', 'ACCOUNT_FROZEN', 'BALANCE_OVERFLOW'])
  post(@Body() transaction: NewTransactionDto, @CurrentCaller() caller: Caller): Promise<TransactionDto> {
    return this.transactions.post(transaction, caller);
  }

  @Get()
  @RequireScopes('wallet:read')
  @ApiOperation({ summary: "An account's statement, newest first" })
  @ApiResponse({ status: 200, type: TransactionPageDto })
  @Refuses(404, 'NOT_FOUND', 'no such account, or not yours')
  statement(@Query() query: StatementQueryDto, @CurrentPrincipal() principal: Principal): Promise<TransactionPageDto> {
    return this.transactions.statement(query, principal);
  }

  @Get(':id')
  @RequireScopes('wallet:read')
  @ApiOperation({ summary: 'One transaction, seen from the account that paid, or from your own' })
  @ApiResponse({ status: 200, type: TransactionDto })
  find(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<TransactionDto> {
    return this.transactions.find(id, principal);
  }

  @Post(':id/reverse')
  @RequireScopes('wallet:write')
  @Idempotent({ required: true, inTransaction: true })
  @ApiOperation({ summary: 'Undo a transaction, once, by one the other way round' })
  @ApiBody({ type: NoBodyDto, required: false })
  @ApiResponse({ status: 201, type: TransactionDto })
  @Refuses(402, 'INSUFFICIENT_FUNDS', 'who received it has spent it')
  @Refuses(403, 'FORBIDDEN', 'not for end users, not of what a payment has posted, and not of a debt')
  @Refuses(409, ['ALREADY_REVERSED', 'REVERSAL_NOT_REVERSIBLE', 'ACCOUNT_FROZEN', 'BALANCE_OVERFLOW'])
  reverse(@Param('id') id: string, @Body() _none: NoBodyDto, @CurrentCaller() caller: Caller): Promise<TransactionDto> {
    return this.transactions.reverse(id, caller);
  }
}
