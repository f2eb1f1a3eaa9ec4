import { Controller, Get, Query } from '@nestjs/common';
import { RequireScopes } from '../../platform/auth/index.js';
import { PageQueryDto } from '../../platform/http/page.dto.js';
import { AuditTrail } from './audit-trail.js';
import { AuditVerifier } from './audit-verifier.js';
import { AuditCheckpointPageDto } from './dto/audit-checkpoint.dto.js';
import { AuditPageDto } from './dto/audit-line.dto.js';
import { AuditVerificationDto } from './dto/audit-verification.dto.js';
import { ListAuditQueryDto } from './dto/list-audit-query.dto.js';

@Controller('api/audit')
@RequireScopes('audit:read')
export class AuditController {
  constructor(
    private readonly trail: AuditTrail,
    private readonly verifier: AuditVerifier,
  ) {}

  /** Lists audit lines, newest first. */
  @Get()
  list(@Query() query: ListAuditQueryDto): Promise<AuditPageDto> {
    return this.trail.list(query);
  }

  /** Checks the whole log and names the first line that does not hold. */
  @Get('verify')
  verify(): Promise<AuditVerificationDto> {
    return this.verifier.verify();
  }

  /** Lists the signed checkpoints, newest first. */
  @Get('checkpoints')
  listCheckpoints(@Query() { limit, cursor }: PageQueryDto): Promise<AuditCheckpointPageDto> {
    return this.trail.listCheckpoints(limit, cursor);
  }
}
