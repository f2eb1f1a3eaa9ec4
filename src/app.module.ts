import { type DynamicModule, Module } from '@nestjs/common';
import { type Config, ConfigModule } from './config/index.js';
import { ApiKeysModule } from './modules/api-keys/index.js';
import { AuditModule } from './modules/audit/index.js';
import { WebhooksModule } from './modules/webhooks/index.js';
import { AuthModule } from './platform/auth/index.js';
import { ClockModule } from './platform/clock/index.js';
import { CoalescerModule } from './platform/coalescer/index.js';
import { DatabaseModule } from './platform/database/index.js';
import { EncryptionModule } from './platform/encryption/index.js';
import { MetricsModule } from './platform/metrics/index.js';
import { ObservabilityModule } from './platform/observability/index.js';
import { RateLimitModule } from './platform/rate-limit/index.js';
import { RedisModule } from './platform/redis/index.js';
import { ScheduleModule } from './platform/schedule/index.js';
import { TransactionModule } from './platform/transaction/index.js';
import { SCHEMA } from './schema.js';

/** The whole of Holdfast. Your own modules with `@WebhookHandler`s join the list at the end. */
@Module({})
export class AppModule {
  static forRoot(config: Config, databaseUrl: string): DynamicModule {
    return {
      module: AppModule,
      imports: [
        ConfigModule.forRoot(config),
        MetricsModule,
        DatabaseModule.forRoot(databaseUrl, SCHEMA),
        RedisModule.forRoot(),
        ClockModule,
        TransactionModule,
        CoalescerModule,
        EncryptionModule,
        RateLimitModule,
        ScheduleModule.forRoot(),
        AuthModule.forRoot(ApiKeysModule),
        ObservabilityModule,
        AuditModule,
        ApiKeysModule,
        WebhooksModule,
      ],
    };
  }
}
