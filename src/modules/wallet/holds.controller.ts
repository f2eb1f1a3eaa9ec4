import { Body, Controller, Get, HttpCode, Param, Post } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, type Principal, RequireScopes } from '../../platform/auth/index.js';
import { Refuses } from '../../platform/http/index.js';
import { Idempotent } from '../../platform/idempotency/index.js';
import { type Caller, CurrentCaller } from './caller.js';
import { CaptureHoldDto, HoldDto, NewHoldDto } from './dto/hold.dto.js';
import { NoBodyDto } from './dto/no-body.dto.js';
import { HoldsService } from './holds.service.js';

@ApiTags('Wallet')
@Controller('api/wallet/holds')
export class HoldsController {
  constructor(private readonly holds: HoldsService) {}

  @Post()
  @RequireScopes('wallet:write')
  @Idempotent({ required: true, inTransaction: true })
  @ApiOperation({ summary: 'Set money aside' })
  @ApiResponse({ status: 201, type: HoldDto })
  @Refuses(400, 'SELF_TRANSFER', 'for the user whose money it is')
  @Refuses(402, 'INSUFFICIENT_FUNDS')
  @Refuses(404, 'NOT_FOUND', 'no such account, or not yours')
  @Refuses(409, ['ACCOUNT_FROZEN', 'BALANCE_OVERFLOW'])
  place(@Body() hold: NewHoldDto, @CurrentCaller() caller: Caller): Promise<HoldDto> {
    return this.holds.place(hold, caller);
  }

  @Get(':id')
  @RequireScopes('wallet:read')
  @ApiOperation({ summary: 'One hold' })
  @ApiResponse({ status: 200, type: HoldDto })
  find(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<HoldDto> {
    return this.holds.find(id, principal);
  }

  @Post(':id/capture')
  @HttpCode(200)
  @RequireScopes('wallet:write')
  @Idempotent({ required: true, inTransaction: true })
  @ApiOperation({ summary: 'Take the held money, or a part of it; the rest is released' })
  @ApiBody({ type: CaptureHoldDto, required: false })
  @ApiResponse({ status: 200, type: HoldDto })
  @Refuses(403, 'FORBIDDEN', 'somebody else placed the hold')
  @Refuses(409, ['HOLD_ALREADY_RESOLVED', 'HOLD_EXPIRED', 'CAPTURE_EXCEEDS_HOLD', 'ACCOUNT_FROZEN', 'BALANCE_OVERFLOW'])
  capture(@Param('id') id: string, @Body() capture: CaptureHoldDto, @CurrentCaller() caller: Caller): Promise<HoldDto> {
    return this.holds.capture(id, capture, caller);
  }

  @Post(':id/void')
  @HttpCode(200)
  @RequireScopes('wallet:write')
  @Idempotent({ required: true, inTransaction: true })
  @ApiOperation({ summary: 'Release the held money' })
  @ApiBody({ type: NoBodyDto, required: false })
  @ApiResponse({ status: 200, type: HoldDto })
  @Refuses(403, 'FORBIDDEN', 'somebody else placed the hold')
  @Refuses(409, ['HOLD_ALREADY_RESOLVED', 'HOLD_EXPIRED'])
  void(@Param('id') id: string, @Body() _none: NoBodyDto, @CurrentCaller() caller: Caller): Promise<HoldDto> {
    return this.holds.void(id, caller);
  }
}
