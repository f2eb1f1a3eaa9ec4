import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, type Principal, RequireScopes } from '../../../platform/auth/index.js';
import { Refuses } from '../../../platform/http/index.js';
import { requireService } from '../payment-caller.js';
import { PaymentFiguresDto, PaymentFiguresQueryDto } from './payment-figures.dto.js';
import { PaymentFiguresService } from './payment-figures.service.js';

@ApiTags('Payments')
@Controller('api/analytics/payments')
export class PaymentFiguresController {
  constructor(private readonly figures: PaymentFiguresService) {}

  @Get()
  @RequireScopes('payments:read')
  @ApiOperation({ summary: 'What happened to payments by the hour or day: counts, volumes and rates' })
  @Refuses(403, 'FORBIDDEN', 'not for end users')
  read(@Query() query: PaymentFiguresQueryDto, @CurrentPrincipal() principal: Principal): Promise<PaymentFiguresDto> {
    requireService(principal, 'see figures of payments');
    return this.figures.read(query);
  }
}
