import { Controller, Get } from '@nestjs/common';
import { ApiOperation, ApiResponse, ApiTags } from '@nestjs/swagger';
import { RequireScopes } from '../../platform/auth/index.js';
import { LedgerIntegrity } from '../ledger/index.js';
import { IntegrityDto } from './dto/integrity.dto.js';

@ApiTags('Ledger')
@Controller('api/ledger')
export class LedgerController {
  constructor(private readonly integrity: LedgerIntegrity) {}

  @Get('integrity')
  @RequireScopes('admin')
  @ApiOperation({ summary: 'Check every rule of the ledger over all accounts, and name what breaks one' })
  @ApiResponse({ status: 200, type: IntegrityDto, description: '`ok` tells; a ledger that does not hold is 200 too' })
  async check(): Promise<IntegrityDto> {
    const { sumByCurrency, ...report } = await this.integrity.check();
    const sums = Object.entries(sumByCurrency).map(([currency, sum]) => [currency, BigInt(sum)]);
    return { ...report, sumByCurrency: Object.fromEntries(sums) };
  }
}
