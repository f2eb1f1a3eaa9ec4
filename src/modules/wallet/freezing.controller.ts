import { Body, Controller, HttpCode, Param, Post } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { Context, type RequestContext, RequireScopes } from '../../platform/auth/index.js';
import { Claim, Idempotent, type RequestClaim } from '../../platform/idempotency/index.js';
import { AccountDto, FreezeDto, UserAccountsDto } from './dto/account.dto.js';
import { FreezingService } from './freezing.service.js';

@ApiTags('Wallet')
@Controller('api')
@RequireScopes('admin')
export class FreezingController {
  constructor(private readonly freezing: FreezingService) {}

  @Post('wallet/accounts/:id/freeze')
  @HttpCode(200)
  @Idempotent({ required: false, inTransaction: true })
  @ApiOperation({ summary: 'Let nothing move in or out of an account; payments for it wait in suspense' })
  freeze(
    @Param('id') id: string,
    @Body() { reason }: FreezeDto,
    @Context() context: RequestContext,
    @Claim() claim: RequestClaim | undefined,
  ): Promise<AccountDto> {
    return this.freezing.setAccount(id, 'FROZEN', reason, context, claim);
  }

  @Post('wallet/accounts/:id/unfreeze')
  @HttpCode(200)
  @Idempotent({ required: false, inTransaction: true })
  @ApiOperation({ summary: 'Let it move again' })
  unfreeze(
    @Param('id') id: string,
    @Body() { reason }: FreezeDto,
    @Context() context: RequestContext,
    @Claim() claim: RequestClaim | undefined,
  ): Promise<AccountDto> {
    return this.freezing.setAccount(id, 'OPEN', reason, context, claim);
  }

  @Post('users/:userId/freeze')
  @HttpCode(200)
  @Idempotent({ required: false, inTransaction: true })
  @ApiOperation({ summary: 'Freeze all accounts of a user, and log them out everywhere' })
  freezeUser(
    @Param('userId') userId: string,
    @Body() { reason }: FreezeDto,
    @Context() context: RequestContext,
    @Claim() claim: RequestClaim | undefined,
  ): Promise<UserAccountsDto> {
    return this.freezing.setUser(userId, 'FROZEN', reason, context, claim);
  }

  @Post('users/:userId/unfreeze')
  @HttpCode(200)
  @Idempotent({ required: false, inTransaction: true })
  @ApiOperation({ summary: 'Let all accounts of a user move again' })
  unfreezeUser(
    @Param('userId') userId: string,
    @Body() { reason }: FreezeDto,
    @Context() context: RequestContext,
    @Claim() claim: RequestClaim | undefined,
  ): Promise<UserAccountsDto> {
    return this.freezing.setUser(userId, 'OPEN', reason, context, claim);
  }
}
