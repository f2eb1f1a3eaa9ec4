import { Module } from '@nestjs/common';
import { EncryptionModule } from '../../platform/encryption/index.js';
import { AuditModule } from '../audit/index.js';
import { EmailLimiter } from './email-limiter.js';
import { EmailLimitsController } from './email-limits.controller.js';
import { EmailLimitsRepository } from './email-limits.repository.js';
import { EmailLimitsService } from './email-limits.service.js';

@Module({
  imports: [EncryptionModule, AuditModule],
  controllers: [EmailLimitsController],
  providers: [EmailLimiter, EmailLimitsRepository, EmailLimitsService],
  exports: [EmailLimiter],
})
export class EmailLimitsModule {}
