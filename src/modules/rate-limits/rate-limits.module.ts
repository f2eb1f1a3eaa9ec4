import { Module } from '@nestjs/common';
import { ClockModule } from '../../platform/clock/index.js';
import { ApiKeysModule } from '../api-keys/index.js';
import { AuditModule } from '../audit/index.js';
import { RateLimitsController } from './rate-limits.controller.js';
import { RateLimitsService } from './rate-limits.service.js';

/** The admins' side of rate limits; the limiting itself is `platform/rate-limit`. */
@Module({
  imports: [ClockModule, ApiKeysModule, AuditModule],
  controllers: [RateLimitsController],
  providers: [RateLimitsService],
})
export class RateLimitsModule {}
