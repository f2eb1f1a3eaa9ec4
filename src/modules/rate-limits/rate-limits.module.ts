import { Module } from '@nestjs/common';
import { ApiKeysModule } from '../api-keys/index.js';
import { AuditModule } from '../audit/index.js';
import { RateLimitsController } from './rate-limits.controller.js';
import { RateLimitsService } from './rate-limits.service.js';

/** The admins' side of rate limits; the limiting itself is `platform/rate-limit`. */
@Module({
  imports: [ApiKeysModule, AuditModule],
  controllers: [RateLimitsController],
  providers: [RateLimitsService],
})
export class RateLimitsModule {}
