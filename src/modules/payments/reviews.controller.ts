import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  Context,
  CurrentPrincipal,
  type Principal,
  type RequestContext,
  RequireScopes,
} from '../../platform/auth/index.js';
import { PageQueryDto, Refuses } from '../../platform/http/index.js';
import { Claim, Idempotent, type RequestClaim } from '../../platform/idempotency/index.js';
import { NoBodyDto } from '../wallet/index.js';
import { accepted } from './accepted.js';
import { PaymentDto, PaymentPageDto, RefundDto } from './dto/payment.dto.js';
import { CurrentPaymentCaller, type PaymentCaller, requireService } from './payment-caller.js';
import { ReviewsService } from './reviews.service.js';

@ApiTags('Payments')
@Controller('api/payments/reviews')
export class ReviewsController {
  constructor(private readonly reviews: ReviewsService) {}

  @Get()
  @RequireScopes('payments:read')
  @ApiOperation({ summary: 'Payments whose money is in suspense, newest first; `review` says why' })
  @Refuses(403, 'FORBIDDEN', 'not for end users')
  list(@Query() query: PageQueryDto, @CurrentPrincipal() principal: Principal): Promise<PaymentPageDto> {
    requireService(principal, 'see reviews');
    return this.reviews.list(query);
  }

  @Post(':id/approve')
  @HttpCode(200)
  @RequireScopes('payments:write')
  @Idempotent({ required: false, inTransaction: true })
  @ApiOperation({ summary: 'The money belongs to the user: from suspense into the wallet' })
  @ApiBody({ type: NoBodyDto, required: false })
  @ApiResponse({ status: 200, type: PaymentDto })
  @Refuses(403, 'FORBIDDEN', 'not for end users')
  @Refuses(409, ['ILLEGAL_TRANSITION', 'ACCOUNT_FROZEN', 'BALANCE_OVERFLOW'])
  approve(
    @Param('id') id: string,
    @Body() _none: NoBodyDto,
    @CurrentPrincipal() principal: Principal,
    @Context() context: RequestContext,
    @Claim() claim: RequestClaim | undefined,
  ): Promise<PaymentDto> {
    requireService(principal, 'approve a review');
    return this.reviews.approve(id, context, claim);
  }

  @Post(':id/decline')
  @RequireScopes('payments:write')
  @Idempotent({ required: true })
  @ApiOperation({ summary: 'The money belongs to the customer: from suspense back through the provider' })
  @ApiBody({ type: NoBodyDto, required: false })
  @ApiResponse({ status: 201, type: RefundDto })
  @ApiResponse({ status: 202, type: RefundDto, description: 'The outcome is not known yet: `unknown`' })
  @Refuses(403, 'FORBIDDEN', 'not for end users')
  @Refuses(409, ['ILLEGAL_TRANSITION', 'REFUND_EXCEEDS_CAPTURED', 'PAYMENT_DISPUTED', 'PROVIDER_REFUSED'])
  async decline(
    @Param('id') id: string,
    @Body() _none: NoBodyDto,
    @CurrentPaymentCaller() caller: PaymentCaller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RefundDto> {
    requireService(caller.principal, 'decline a review');
    return accepted(reply, await this.reviews.decline(id, caller), 201);
  }
}
