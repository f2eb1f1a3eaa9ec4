import { Body, Controller, Get, HttpCode, Param, Post, Query, Res } from '@nestjs/common';
import { ApiBody, ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { CurrentPrincipal, type Principal, RequireScopes } from '../../platform/auth/index.js';
import { Refuses } from '../../platform/http/index.js';
import { Idempotent } from '../../platform/idempotency/index.js';
import { SkipThrottle } from '../../platform/rate-limit/index.js';
import { NoBodyDto } from '../wallet/index.js';
import {
  CapturePaymentDto,
  NewPaymentDto,
  NewRefundDto,
  PaymentDetailDto,
  PaymentDto,
  PaymentPageDto,
  PaymentQueryDto,
  RefundDto,
  RefundListDto,
} from './dto/payment.dto.js';
import { accepted } from './accepted.js';
import { CurrentPaymentCaller, type PaymentCaller, requireService } from './payment-caller.js';
import { PaymentReader } from './payment-reader.js';
import { PaymentsService } from './payments.service.js';
import { RefundsService } from './refunds/refunds.service.js';

@ApiTags('Payments')
@Controller('api/payments')
export class PaymentsController {
  constructor(
    private readonly payments: PaymentsService,
    private readonly reader: PaymentReader,
    private readonly refunds: RefundsService,
  ) {}

  @Post()
  @RequireScopes('payments:write')
  @SkipThrottle({ mutations: true })
  @Idempotent({ required: true, confidential: true })
  @ApiOperation({ summary: "Take a payment into a user's wallet" })
  @ApiResponse({ status: 201, type: PaymentDto, description: 'Also when the provider declines: then it is `failed`' })
  @ApiResponse({
    status: 202,
    type: PaymentDto,
    description: 'The outcome is not known yet: `unknown` or `processing`',
  })
  @Refuses(402, 'PAYMENT_DECLINED', 'by a rule; nothing was charged')
  @Refuses(403, 'FORBIDDEN', 'an end user sent a `context`')
  @Refuses(404, 'NOT_FOUND', 'not yours')
  @Refuses(409, 'PAYMENT_ALREADY_OPEN')
  async create(
    @Body() input: NewPaymentDto,
    @CurrentPaymentCaller() caller: PaymentCaller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PaymentDto> {
    return accepted(reply, await this.payments.processPayment(input, caller), 201);
  }

  @Get()
  @RequireScopes('payments:read')
  @ApiOperation({ summary: 'Payments, newest first' })
  list(@Query() query: PaymentQueryDto, @CurrentPrincipal() principal: Principal): Promise<PaymentPageDto> {
    return this.reader.list(query, principal);
  }

  @Get(':id')
  @RequireScopes('payments:read')
  @ApiOperation({ summary: 'One payment with all that happened to it' })
  find(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<PaymentDetailDto> {
    return this.reader.find(id, principal);
  }

  @Post(':id/verify')
  @HttpCode(200)
  @RequireScopes('payments:write')
  @SkipThrottle({ mutations: true })
  @Idempotent({ required: false, confidential: true })
  @ApiOperation({ summary: 'Ask the provider how a payment stands' })
  @ApiBody({ type: NoBodyDto, required: false })
  @ApiResponse({ status: 200, type: PaymentDto })
  verify(
    @Param('id') id: string,
    @Body() _none: NoBodyDto,
    @CurrentPaymentCaller() { principal, context }: PaymentCaller,
  ): Promise<PaymentDto> {
    return this.payments.verifyPayment(id, principal, context.actor);
  }

  @Post(':id/capture')
  @HttpCode(200)
  @RequireScopes('payments:write')
  @SkipThrottle({ mutations: true })
  @Idempotent({ required: true })
  @ApiOperation({ summary: 'Take the authorised money, or a part of it; the rest is released' })
  @ApiBody({ type: CapturePaymentDto, required: false })
  @ApiResponse({ status: 200, type: PaymentDto })
  @ApiResponse({ status: 202, type: PaymentDto, description: 'The outcome is not known yet: `unknown`' })
  @Refuses(403, 'FORBIDDEN', 'not for end users')
  @Refuses(409, ['ILLEGAL_TRANSITION', 'CAPTURE_EXCEEDS_AUTHORIZATION', 'PAYMENT_BUSY', 'PROVIDER_REFUSED'])
  async capture(
    @Param('id') id: string,
    @Body() { amount }: CapturePaymentDto,
    @CurrentPaymentCaller() caller: PaymentCaller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PaymentDto> {
    requireService(caller.principal, 'capture a payment');
    return accepted(reply, await this.payments.capturePayment(id, amount, caller), 200);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @RequireScopes('payments:write')
  @SkipThrottle({ mutations: true })
  @Idempotent({ required: true })
  @ApiOperation({ summary: 'Give a payment up that has not succeeded' })
  @ApiBody({ type: NoBodyDto, required: false })
  @ApiResponse({ status: 200, type: PaymentDto })
  @ApiResponse({ status: 202, type: PaymentDto, description: 'The outcome is not known yet: `unknown`' })
  @Refuses(409, ['ILLEGAL_TRANSITION', 'PAYMENT_BUSY', 'PROVIDER_REFUSED'])
  async cancel(
    @Param('id') id: string,
    @Body() _none: NoBodyDto,
    @CurrentPaymentCaller() caller: PaymentCaller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<PaymentDto> {
    return accepted(reply, await this.payments.cancelPayment(id, caller), 200);
  }

  @Post(':id/refunds')
  @RequireScopes('payments:write')
  @SkipThrottle({ mutations: true })
  @Idempotent({ required: true })
  @ApiOperation({ summary: 'Give money of a payment back to the customer' })
  @ApiBody({ type: NewRefundDto, required: false })
  @ApiResponse({ status: 201, type: RefundDto })
  @ApiResponse({ status: 202, type: RefundDto, description: 'The outcome is not known yet: `unknown`' })
  @Refuses(402, 'INSUFFICIENT_FUNDS', 'the user has spent it')
  @Refuses(403, 'FORBIDDEN', 'not for end users')
  @Refuses(409, ['REFUND_EXCEEDS_CAPTURED', 'PAYMENT_DISPUTED', 'ILLEGAL_TRANSITION', 'PAYMENT_BUSY'])
  @Refuses(409, ['PROVIDER_REFUSED', 'ACCOUNT_FROZEN'])
  async refund(
    @Param('id') id: string,
    @Body() input: NewRefundDto,
    @CurrentPaymentCaller() caller: PaymentCaller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<RefundDto> {
    requireService(caller.principal, 'refund a payment');
    return accepted(reply, await this.refunds.refundPayment(id, input, caller), 201);
  }

  @Get(':id/refunds')
  @RequireScopes('payments:read')
  @ApiOperation({ summary: 'The refunds of a payment, oldest first' })
  listRefunds(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<RefundListDto> {
    return this.refunds.list(id, principal);
  }
}
