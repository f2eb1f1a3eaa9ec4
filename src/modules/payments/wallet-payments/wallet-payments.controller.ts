import { Body, Controller, Get, HttpCode, Param, Post, Res } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import {
  Context,
  CurrentPrincipal,
  type Principal,
  type RequestContext,
  RequireScopes,
} from '../../../platform/auth/index.js';
import { Refuses } from '../../../platform/http/index.js';
import { Idempotent } from '../../../platform/idempotency/index.js';
import { SkipThrottle } from '../../../platform/rate-limit/index.js';
import { accepted } from '../accepted.js';
import { PaymentDto } from '../dto/payment.dto.js';
import { InitializeDto, InitializedDto, VerifyDto } from './wallet-payment.dto.js';
import { CurrentPaymentCaller, type PaymentCaller } from '../payment-caller.js';
import { WalletPaymentsService } from './wallet-payments.service.js';

/** Money into a wallet in two steps, as Paystack's users know them: initialize, then verify. */
@ApiTags('Payments')
@Controller('api/wallet')
export class WalletPaymentsController {
  constructor(private readonly payments: WalletPaymentsService) {}

  @Post('initialize')
  @RequireScopes('payments:write')
  @SkipThrottle({ mutations: true })
  @Idempotent({ required: false, confidential: true })
  @ApiOperation({ summary: 'Begin a payment into a wallet' })
  @ApiResponse({ status: 201, type: InitializedDto })
  @ApiResponse({
    status: 202,
    type: InitializedDto,
    description: 'The outcome is not known yet: `unknown` or `processing`',
  })
  @Refuses(402, 'PAYMENT_DECLINED', 'by a rule; nothing was charged')
  @Refuses(404, 'NOT_FOUND', 'not yours')
  async initialize(
    @Body() input: InitializeDto,
    @CurrentPaymentCaller() caller: PaymentCaller,
    @Res({ passthrough: true }) reply: FastifyReply,
  ): Promise<InitializedDto> {
    const initialized = await this.payments.initialize(input, caller);
    accepted(reply, initialized.payment, 201);
    return initialized;
  }

  @Get('verify/:reference')
  @RequireScopes('payments:read')
  @ApiOperation({ summary: 'Ask the provider how a payment stands; credits the wallet if that has not happened yet' })
  @ApiResponse({ status: 200, type: PaymentDto })
  @Refuses(404, 'NOT_FOUND', 'no such payment, or not yours')
  verify(
    @Param('reference') reference: string,
    @CurrentPrincipal() principal: Principal,
    @Context() context: RequestContext,
  ): Promise<PaymentDto> {
    return this.payments.verify(reference, principal, context.actor);
  }

  @Post('verify')
  @HttpCode(200)
  @RequireScopes('payments:read')
  @SkipThrottle({ mutations: true })
  @ApiOperation({ summary: 'The same, with the reference in the body' })
  @ApiResponse({ status: 200, type: PaymentDto })
  @Refuses(404, 'NOT_FOUND', 'no such payment, or not yours')
  verifyByBody(
    @Body() { reference }: VerifyDto,
    @CurrentPrincipal() principal: Principal,
    @Context() context: RequestContext,
  ): Promise<PaymentDto> {
    return this.payments.verify(reference, principal, context.actor);
  }
}
