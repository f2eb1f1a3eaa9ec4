import { type DynamicModule, Module, type Provider, type Type } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { Config } from '../../config/index.js';
import { HttpClientModule } from '../../platform/http-client/index.js';
import { JobsModule } from '../../platform/jobs/index.js';
import { RateLimitModule } from '../../platform/rate-limit/index.js';
import { AuditModule } from '../audit/index.js';
import { LedgerModule } from '../ledger/index.js';
import { WebhooksModule } from '../webhooks/index.js';
import { PAYSTACK, paystackMode } from './adapters/paystack/index.js';
import { SandboxAddress } from './adapters/sandbox/sandbox-address.js';
import { SandboxBalance } from './adapters/sandbox/sandbox-balance.js';
import { SandboxController, SandboxKeyGuard } from './adapters/sandbox/sandbox.controller.js';
import { SandboxHandlers } from './adapters/sandbox/sandbox.handlers.js';
import { SandboxPageController } from './adapters/sandbox/sandbox-page.controller.js';
import { SandboxProvider } from './adapters/sandbox/sandbox.provider.js';
import { SandboxService } from './adapters/sandbox/sandbox.service.js';
import { SandboxWebhooks } from './adapters/sandbox/sandbox-webhooks.js';
import { StripeHandlers } from './adapters/stripe/stripe.handlers.js';
import { StripePayments } from './adapters/stripe/stripe.provider.js';
import { ChargeReports } from './charge-reports.js';
import { OperationsRepository } from './operations.repository.js';
import { PaymentBooks } from './payment-books.js';
import { PaymentChecks } from './payment-checks.js';
import { PaymentMetrics } from './payment-metrics.js';
import { PaymentRefund } from './payment-refund.entity.js';
import { Payment } from './payment.entity.js';
import { PaymentReader } from './payment-reader.js';
import { PaymentsController } from './payments.controller.js';
import { PaymentsRepository } from './payments.repository.js';
import { PaymentsService } from './payments.service.js';
import { ProviderCalls } from './provider-calls.js';
import { PAYMENT_PROVIDERS_IN_USE, ProviderDirectory } from './provider-directory.js';
import { ProviderOperation } from './provider-operation.entity.js';
import {
  RECONCILIATION_ENTITIES,
  RECONCILIATION_PROVIDERS,
  ReconciliationsController,
} from './reconciliation/index.js';
import { RefundReports } from './refund-reports.js';
import { RefundsRepository } from './refunds.repository.js';
import { RefundsService } from './refunds.service.js';
import { ReviewsController } from './reviews.controller.js';
import { ReviewsService } from './reviews.service.js';
import { WalletPaymentsController } from './wallet-payments.controller.js';
import { WalletPaymentsService } from './wallet-payments.service.js';

type PaymentsConfig = Pick<Config, 'isProduction' | 'PAYSTACK_SECRET_KEY' | 'STRIPE_SECRET_KEY'>;

/** Money from customers, through payment providers, into wallets: docs/payments.md. */
@Module({})
export class PaymentsModule {
  /**
   * A payment that names no provider goes to the first: Paystack, Stripe, the sandbox. The sandbox is a provider without money:
   * production has none, nor has who takes real money.
   */
  static forRoot({ isProduction, PAYSTACK_SECRET_KEY, STRIPE_SECRET_KEY }: PaymentsConfig): DynamicModule {
    const inUse = [
      ...(paystackMode(PAYSTACK_SECRET_KEY) === undefined ? [] : [PAYSTACK]),
      ...(STRIPE_SECRET_KEY === undefined ? [] : [STRIPE]),
      ...(isProduction || isLive(PAYSTACK_SECRET_KEY) || isLive(STRIPE_SECRET_KEY) ? [] : [SANDBOX]),
    ];
    return {
      module: PaymentsModule,
      imports: [
        TypeOrmModule.forFeature([Payment, PaymentRefund, ProviderOperation, ...RECONCILIATION_ENTITIES]),
        HttpClientModule,
        JobsModule,
        RateLimitModule,
        AuditModule,
        LedgerModule,
        WebhooksModule,
      ],
      controllers: [
        ReviewsController,
        PaymentsController,
        WalletPaymentsController,
        ReconciliationsController,
        ...inUse.flatMap<Type>(({ controllers }) => controllers),
      ],
      providers: [
        PaymentsService,
        PaymentReader,
        RefundsService,
        ReviewsService,
        WalletPaymentsService,
        PaymentsRepository,
        OperationsRepository,
        RefundsRepository,
        PaymentBooks,
        PaymentMetrics,
        PaymentChecks,
        ChargeReports,
        RefundReports,
        ProviderCalls,
        ProviderDirectory,
        ...RECONCILIATION_PROVIDERS,
        ...inUse.flatMap<Provider>(({ providers }) => providers),
        {
          provide: PAYMENT_PROVIDERS_IN_USE,
          inject: inUse.flatMap<Type>(({ adapters }) => adapters),
          useFactory: (...adapters: unknown[]) => adapters,
        },
      ],
      exports: [PaymentsService, RefundsService],
    };
  }
}

const STRIPE = { controllers: [], providers: [StripePayments, StripeHandlers], adapters: [StripePayments] };

const SANDBOX = {
  controllers: [SandboxController, SandboxPageController],
  providers: [
    SandboxAddress,
    SandboxKeyGuard,
    SandboxProvider,
    SandboxService,
    SandboxBalance,
    SandboxWebhooks,
    SandboxHandlers,
  ],
  adapters: [SandboxProvider],
};

function isLive(secretKey: string | undefined): boolean {
  return secretKey?.includes('_live_') ?? false;
}
