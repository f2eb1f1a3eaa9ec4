import { Controller, Get, Param, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { CurrentPrincipal, type Principal, RequireScopes } from '../../../platform/auth/index.js';
import { DisputesService } from './disputes.service.js';
import { DisputeDetailDto } from './dispute-detail.dto.js';
import { DisputePageDto, DisputeQueryDto } from './dispute.dto.js';

@ApiTags('Payments')
@Controller('api/disputes')
export class DisputesController {
  constructor(private readonly disputes: DisputesService) {}

  @Get()
  @RequireScopes('payments:read')
  @ApiOperation({ summary: 'Disputes, newest first' })
  list(@Query() query: DisputeQueryDto, @CurrentPrincipal() principal: Principal): Promise<DisputePageDto> {
    return this.disputes.list(query, principal);
  }

  @Get(':id')
  @RequireScopes('payments:read')
  @ApiOperation({ summary: 'One dispute with its payment and the money that it moved' })
  find(@Param('id') id: string, @CurrentPrincipal() principal: Principal): Promise<DisputeDetailDto> {
    return this.disputes.find(id, principal);
  }
}
