import { Body, Controller, Post } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { RequireScopes } from '../../platform/auth/index.js';
import { Refuses } from '../../platform/http/index.js';
import { Idempotent } from '../../platform/idempotency/index.js';
import { type Caller, CurrentCaller } from './caller.js';
import { NewTransferBatchDto, NewTransferDto, TransferBatchDto, TransferDto } from './dto/transfer.dto.js';
import { TransfersService } from './transfers.service.js';

/** A transfer takes 140 bytes with UUIDs for users, and 7 values without metadata; this leaves 1 KB and 50 for each of 1,000. */
const BATCH_BODY = { bodyLimit: 1024 * 1024, maxValues: 50_000 };

@ApiTags('Wallet')
@Controller('api/wallet/transfers')
@RequireScopes('wallet:write')
export class TransfersController {
  constructor(private readonly transfers: TransfersService) {}

  @Post()
  @Idempotent({ required: true, inTransaction: true })
  @ApiOperation({ summary: 'Move money from one user to another' })
  @ApiResponse({ status: 201, type: TransferDto })
  @Refuses(400, 'SELF_TRANSFER', 'from a user to the same user')
  @Refuses(402, 'INSUFFICIENT_FUNDS')
  @Refuses(404, 'NOT_FOUND', 'one of the accounts does not exist, or the first is not yours')
  @Refuses(409, ['ACCOUNT_FROZEN', 'BALANCE_OVERFLOW'])
  transfer(@Body() transfer: NewTransferDto, @CurrentCaller() caller: Caller): Promise<TransferDto> {
    return this.transfers.transfer(transfer, caller);
  }

  @Post('batch')
  @RouteConfig(BATCH_BODY)
  @Idempotent({ required: true, inTransaction: true })
  @ApiOperation({ summary: 'Up to 1,000 transfers in one transaction, all or none or each for itself' })
  @ApiResponse({ status: 201, type: TransferBatchDto })
  @Refuses(409, 'BATCH_REJECTED', 'atomic and one refused; `results` as in 201, nothing posted')
  transferBatch(@Body() batch: NewTransferBatchDto, @CurrentCaller() caller: Caller): Promise<TransferBatchDto> {
    return this.transfers.transferBatch(batch, caller);
  }
}
