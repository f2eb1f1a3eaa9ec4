import { Controller, Get, Query } from '@nestjs/common';
import { ApiOperation, ApiTags } from '@nestjs/swagger';
import { RequireScopes } from '../../platform/auth/index.js';
import { PageQueryDto } from '../../platform/http/index.js';
import { AuditReader } from './audit-reader.js';
import { AuditVerifier } from './audit-verifier.js';
import { AuditCheckpointPageDto } from './dto/audit-checkpoint.dto.js';
import { AuditPageDto } from './dto/audit-line.dto.js';
import { AuditVerificationDto } from './dto/audit-verification.dto.js';
import { ListAuditQueryDto } from './dto/list-audit-query.dto.js';

@ApiTags('Audit')
@Controller('api/audit')
@RequireScopes('audit:read')
export class AuditController {
  constructor(
    private readonly reader: AuditReader,
    private readonly verifier: AuditVerifier,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Audit lines, newest first' })
  list(@Query() query: ListAuditQueryDto): Promise<AuditPageDto> {
    return this.reader.list(query);
  }

  @Get('verify')
  @ApiOperation({ summary: 'Check the whole log and name the first line that does not hold' })
  verify(): Promise<AuditVerificationDto> {
    return this.verifier.verify();
  }

  @Get('checkpoints')
  @ApiOperation({ summary: 'The signed checkpoints, newest first' })
  listCheckpoints(@Query() { limit, cursor }: PageQueryDto): Promise<AuditCheckpointPageDto> {
    return this.reader.listCheckpoints(limit, cursor);
  }
}
