import { type DynamicModule, Module } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { type Config, ConfigModule } from './config/index.js';
import { CredentialsModule } from './credentials.module.js';
import { AccountsModule } from './modules/accounts/index.js';
import { ApiKeysModule } from './modules/api-keys/index.js';
import { AuditModule } from './modules/audit/index.js';
import { EmailLimitsModule } from './modules/email-limits/index.js';
import { FormsModule } from './modules/forms/index.js';
import { RateLimitsModule } from './modules/rate-limits/index.js';
import { LedgerModule } from './modules/ledger/index.js';
import { PaymentsModule } from './modules/payments/index.js';
import { WalletModule } from './modules/wallet/index.js';
import { WebhooksModule } from './modules/webhooks/index.js';
import { AuthGuard, AuthModule } from './platform/auth/index.js';
import { ClockModule } from './platform/clock/index.js';
import { CoalescerModule } from './platform/coalescer/index.js';
import { DatabaseModule } from './platform/database/index.js';
import { EncryptionModule } from './platform/encryption/index.js';
import { HttpClientModule } from './platform/http-client/index.js';
import { IdempotencyGuard, IdempotencyModule } from './platform/idempotency/index.js';
import { JobsModule } from './platform/jobs/index.js';
import { LocksModule } from './platform/locks/index.js';
import { MailModule } from './platform/mail/index.js';
import { MetricsModule } from './platform/metrics/index.js';
import { ObservabilityModule } from './platform/observability/index.js';
import { RateLimitGuard, RateLimitModule } from './platform/rate-limit/index.js';
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
        RedisModule,
        ClockModule,
        TransactionModule,
        CoalescerModule,
        EncryptionModule,
        LocksModule,
        RateLimitModule,
        IdempotencyModule,
        ScheduleModule,
        JobsModule,
        HttpClientModule,
        MailModule,
        AuthModule.forRoot(CredentialsModule),
        ObservabilityModule,
        AuditModule,
        LedgerModule,
        AccountsModule,
        ApiKeysModule,
        RateLimitsModule,
        EmailLimitsModule,
        WalletModule,
        WebhooksModule,
        PaymentsModule.forRoot(config),
        FormsModule,
      ],
      // Guards run in this order: a key belongs to who is calling, and a repeat does not use up a limit.
      providers: [
        { provide: APP_GUARD, useExisting: AuthGuard },
        { provide: APP_GUARD, useExisting: IdempotencyGuard },
        { provide: APP_GUARD, useExisting: RateLimitGuard },
      ],
    };
  }
}
