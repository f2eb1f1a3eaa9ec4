import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { RequireScopes } from '../auth/index.js';
import { IdempotencyStatisticsDto } from './idempotency-statistics.dto.js';
import { IdempotencyStatistics } from './idempotency-statistics.js';

@ApiTags('Operations')
@Controller('api/idempotency')
export class IdempotencyController {
  constructor(private readonly statistics: IdempotencyStatistics) {}

  @Get('stats')
  @RequireScopes('admin')
  @ApiOperation({ summary: 'How many idempotency keys are stored, and how often they were of use' })
  read(): Promise<IdempotencyStatisticsDto> {
    return this.statistics.read();
  }
}
