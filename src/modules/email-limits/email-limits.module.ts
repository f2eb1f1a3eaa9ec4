import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/index.js';
import { AddressHash } from './address-hash.js';
import { EmailLimitSweep } from './email-limit-sweep.js';
import { EmailLimits } from './email-limits.js';
import { EmailLimitsController } from './email-limits.controller.js';
import { EmailLimitsRepository } from './email-limits.repository.js';
import { EmailLimitsService } from './email-limits.service.js';

@Module({
  imports: [AuditModule],
  controllers: [EmailLimitsController],
  providers: [AddressHash, EmailLimitSweep, EmailLimits, EmailLimitsRepository, EmailLimitsService],
  exports: [AddressHash, EmailLimits],
})
export class EmailLimitsModule {}
