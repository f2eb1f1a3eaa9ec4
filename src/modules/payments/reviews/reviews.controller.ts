import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBody, ApiExtraModels, ApiOperation, ApiResponse, ApiTags, getSchemaPath } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { CurrentPrincipal, type Principal, RequireScopes } from '../../../platform/auth/index.js';
import { PageQueryDto, Refuses } from '../../../platform/http/index.js';
import { Idempotent } from '../../../platform/idempotency/index.js';
import { NoBodyDto } from '../../wallet/index.js';
import { accepted } from '../accepted.js';
import { PaymentDto, RefundDto, ReviewPageDto } from '../dto/payment.dto.js';
import { CurrentPaymentCaller, type PaymentCaller, requireService } from '../payment-caller.js';
import { ReviewsService } from './reviews.service.js';

@ApiTags('Payments')
@Controller('api/payments/reviews')
export class ReviewsController {
  constructor(private readonly reviews: ReviewsService) {}

  @Get()
  @RequireScopes('payments:read')
  @ApiOperation({ summary: 'Payments that somebody has to look at, newest first; `review` says why' })
  @Refuses(403, 'FORBIDDEN', 'not for end users')
  list(@Query() query: PageQueryDto, @CurrentPrincipal() principal: Principal): Promise<ReviewPageDto> {
    requireService(principal, 'see reviews');
    return this.reviews.list(query);
  }

  @Post(':id/approve')
  @HttpCode(200)
  @RequireScopes('payments:write')
  @Idempotent({ required: false })
  @ApiOperation({
    summary: 'The money belongs to the user',
    description: 'What is in suspense goes into the wallet; what is authorised is captured.',
  })
  @ApiBody({ type: NoBodyDto, required: false })
  @ApiResponse({ status: 200, type: PaymentDto })
  @ApiResponse({ status: 202, type: PaymentDto, description: 'The outcome is not known yet: `unknown`' })
  @Refuses(403, 'FORBIDDEN', 'not for end users')
  @Refuses(409, ['ILLEGAL_TRANSITION', 'PAYMENT_BUSY', 'PROVIDER_REFUSED', 'ACCOUNT_FROZEN', 'BALANCE_OVERFLOW'])
  async approve(
    @Param('id') id: string,
    @Body() _none: NoBodyDto,
    @CurrentPaymentCaller() caller: PaymentCaller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PaymentDto> {
    requireService(caller.principal, 'approve a review');
    return accepted(reply, await this.reviews.approve(id, caller), 200);
  }

  @Post(':id/decline')
  @RequireScopes('payments:write')
  @Idempotent({ required: true })
  @ApiOperation({
    summary: 'The money belongs to the customer',
    description: 'What is in suspense goes back through the provider; of what is authorised nothing is taken.',
  })
  @ApiExtraModels(PaymentDto, RefundDto)
  @ApiBody({ type: NoBodyDto, required: false })
  @ApiResponse({ status: 200, type: PaymentDto, description: 'Nothing is taken' })
  @ApiResponse({ status: 201, type: RefundDto, description: 'What was in suspense goes back' })
  @ApiResponse({
    status: 202,
    description: 'The outcome is not known yet: `unknown`',
    schema: { oneOf: [{ $ref: getSchemaPath(PaymentDto) }, { $ref: getSchemaPath(RefundDto) }] },
  })
  @Refuses(403, 'FORBIDDEN', 'not for end users')
  @Refuses(409, [
    'ILLEGAL_TRANSITION',
    'REFUND_EXCEEDS_CAPTURED',
    'PAYMENT_BUSY',
    'PAYMENT_DISPUTED',
    'PROVIDER_REFUSED',
  ])
  async decline(
    @Param('id') id: string,
    @Body() _none: NoBodyDto,
    @CurrentPaymentCaller() caller: PaymentCaller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PaymentDto | RefundDto> {
    requireService(caller.principal, 'decline a review');
    const view = await this.reviews.decline(id, caller);
    return accepted(reply, view, 'paymentId' in view ? 201 : 200);
  }
}
