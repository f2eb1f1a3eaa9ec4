import {
  Body,
  type CanActivate,
  Controller,
  type ExecutionContext,
  Get,
  Headers,
  HttpCode,
  Inject,
  Injectable,
  Param,
  Post,
  Query,
  Res,
  UseGuards,
} from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsUUID, Max, Min } from 'class-validator';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { timingSafeEqual } from 'node:crypto';
import { CONFIG, type Config } from '../../../../config/index.js';
import { IsOmittable, IsTimestamp } from '../../../../platform/http/index.js';
import { Public, UnauthenticatedError } from '../../../../platform/auth/index.js';
import { IsAmount, IsCurrency, NoBodyDto } from '../../../wallet/index.js';
import { SandboxBalance } from './sandbox-balance.js';
import { behaviorOf } from './sandbox-amounts.js';
import { sandboxApiKey } from './sandbox-keys.js';
import { SandboxDisputes } from './sandbox-disputes.js';
import type { ChargeObject, DisputeObject, MovementListObject, RefundObject } from './sandbox-objects.js';
import { type Made, SandboxService } from './sandbox.service.js';
import { SandboxWebhooks } from './sandbox-webhooks.js';

export class SandboxChargeDto {
  @IsUUID()
  payment: string;

  @IsAmount()
  amount: number;

  @IsCurrency()
  currency: string;

  @IsIn(['automatic', 'manual'])
  capture: 'automatic' | 'manual';
}

export class SandboxCaptureDto {
  @IsAmount()
  amount: number;
}

export class SandboxRefundDto {
  @IsUUID()
  refund: string;

  @IsAmount()
  amount: number;
}

export class SandboxMovementsDto {
  @IsTimestamp()
  from: string;

  @IsTimestamp()
  to: string;

  @IsOmittable()
  @IsUUID()
  after?: string;

  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(100)
  limit: number;
}

/** Lets in whoever has the sandbox's own key: nobody else could prove that a charge was asked for. */
@Injectable()
export class SandboxKeyGuard implements CanActivate {
  private readonly expected: Buffer;

  constructor(@Inject(CONFIG) config: Config) {
    this.expected = Buffer.from(`Bearer ${sandboxApiKey(config.encryptionKey)}`);
  }

  canActivate(context: ExecutionContext): boolean {
    const { authorization = '' } = context.switchToHttp().getRequest<FastifyRequest>().headers;
    const given = Buffer.from(authorization);
    if (given.length === this.expected.length && timingSafeEqual(given, this.expected)) return true;
    throw new UnauthenticatedError('The sandbox is called by Holdfast itself.');
  }
}

/** The sandbox's own API. What goes wrong on the way to its caller is in the amount, see `SANDBOX_AMOUNTS`. */
@ApiExcludeController()
@Public()
@UseGuards(SandboxKeyGuard)
@Controller('sandbox')
export class SandboxController {
  /** Keys whose first call was cut off before anything was made. */
  private readonly cutOff = new Set<string>();

  constructor(
    private readonly sandbox: SandboxService,
    private readonly disputes: SandboxDisputes,
    private readonly webhooks: SandboxWebhooks,
    private readonly balance: SandboxBalance,
  ) {}

  @Get('movements')
  movements(@Query() { from, to, after, limit }: SandboxMovementsDto): Promise<MovementListObject> {
    return this.balance.list(from, to, after, limit);
  }

  @Post('charges')
  create(
    @Body() charge: SandboxChargeDto,
    @Headers('idempotency-key') key: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.answer(reply, charge.amount, key, () => this.sandbox.create(charge, key));
  }

  @Get('charges')
  list(@Query('payment') payment: string): Promise<ChargeObject[]> {
    return this.sandbox.findByPayment(payment);
  }

  @Post('charges/:id/capture')
  capture(
    @Param('id') id: string,
    @Body() { amount }: SandboxCaptureDto,
    @Headers('idempotency-key') key: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.answer(reply, amount, key, () => this.sandbox.capture(id, amount));
  }

  @Post('charges/:id/cancel')
  @HttpCode(200)
  async cancel(@Param('id') id: string, @Body() _none: NoBodyDto): Promise<ChargeObject> {
    return (await this.sandbox.cancel(id)).object;
  }

  @Get('charges/:id/refunds')
  refunds(@Param('id') id: string): Promise<RefundObject[]> {
    return this.sandbox.refundsOf(id);
  }

  @Get('charges/:id/disputes')
  disputed(@Param('id') id: string): Promise<DisputeObject[]> {
    return this.disputes.of(id);
  }

  @Post('charges/:id/refunds')
  refund(
    @Param('id') id: string,
    @Body() { refund, amount }: SandboxRefundDto,
    @Headers('idempotency-key') key: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    return this.answer(reply, amount, key, () => this.sandbox.refund(id, refund, amount, key));
  }

  /** Goes wrong the first time a key comes; sent again, the call is answered. */
  private async answer(
    reply: FastifyReply,
    amount: number,
    key: string,
    work: () => Promise<Made<object>>,
  ): Promise<void> {
    const fault = behaviorOf(amount);
    if (fault === 'resetBefore' && !this.cutOff.has(key)) {
      this.cutOff.add(key);
      return cutOff(reply);
    }
    const { object, isNew, event } = await work();
    if (event !== undefined) await this.webhooks.sendNow(event);
    if (isNew && fault === 'resetAfter') return cutOff(reply);
    if (isNew && fault === 'noAnswer') return;
    if (isNew && fault === 'serverError') await reply.status(500).send({ detail: 'The sandbox fails as asked.' });
    else await reply.status(200).send(object);
  }
}

function cutOff(reply: FastifyReply): void {
  reply.hijack();
  reply.raw.destroy();
}
