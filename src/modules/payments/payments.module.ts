import { type DynamicModule, Module, type Provider, type Type } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { Config } from '../../config/index.js';
import { CoalescerModule } from '../../platform/coalescer/index.js';
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
import { SandboxDisputes } from './adapters/sandbox/sandbox-disputes.js';
import { SandboxHandlers } from './adapters/sandbox/sandbox.handlers.js';
import { SandboxPageController } from './adapters/sandbox/sandbox-page.controller.js';
import { SandboxProvider } from './adapters/sandbox/sandbox.provider.js';
import { SandboxService } from './adapters/sandbox/sandbox.service.js';
import { SandboxWebhooks } from './adapters/sandbox/sandbox-webhooks.js';
import { ChargeChangesRepository } from './charges/charge-changes.repository.js';
import { ANALYTICS_ENTITIES, ANALYTICS_PROVIDERS, PaymentFiguresController } from './analytics/index.js';
import { ChargeReports } from './charges/charge-reports.js';
import { ChargeSettling } from './charges/charge-settling.js';
import { DisputeMovement } from './disputes/dispute-movement.entity.js';
import { DisputeReports } from './disputes/dispute-reports.js';
import { Dispute } from './disputes/dispute.entity.js';
import { DisputesController } from './disputes/disputes.controller.js';
import { DisputesRepository } from './disputes/disputes.repository.js';
import { DisputesService } from './disputes/disputes.service.js';
import { OperationsRepository } from './providers/operations.repository.js';
import { PaymentBooks } from './payment-books.js';
import { PaymentCreation } from './payment-creation.js';
import { PaymentChecks } from './payment-checks.js';
import { PaymentMetrics } from './payment-metrics.js';
import { PaymentRefund } from './refunds/payment-refund.entity.js';
import { Payment } from './payment.entity.js';
import { PaymentReader } from './payment-reader.js';
import { PaymentsController } from './payments.controller.js';
import { PaymentsRepository } from './payments.repository.js';
import { PaymentsService } from './payments.service.js';
import { ProviderCalls } from './providers/provider-calls.js';
import { PAYMENT_PROVIDERS_IN_USE, ProviderDirectory } from './providers/provider-directory.js';
import { ProviderReturns } from './providers/provider-returns.js';
import { ProviderOperation } from './providers/provider-operation.entity.js';
import { RefundAdoption } from './refunds/refund-adoption.js';
import {
  RECONCILIATION_ENTITIES,
  RECONCILIATION_PROVIDERS,
  ReconciliationsController,
} from './reconciliation/index.js';
import { RefundReports } from './refunds/refund-reports.js';
import { RefundsRepository } from './refunds/refunds.repository.js';
import { RefundsService } from './refunds/refunds.service.js';
import { BacktestRepository } from './rules/backtest.repository.js';
import { EvaluationsRepository } from './rules/evaluations.repository.js';
import { FraudRulesController } from './rules/fraud-rules.controller.js';
import { FraudRule } from './rules/fraud-rule.entity.js';
import { FraudRulesRepository } from './rules/fraud-rules.repository.js';
import { FraudRulesService } from './rules/fraud-rules.service.js';
import { PaymentRules } from './rules/payment-rules.js';
import { RuleEvaluation } from './rules/rule-evaluation.entity.js';
import { ReviewsController } from './reviews/reviews.controller.js';
import { ReviewsService } from './reviews/reviews.service.js';
import { WalletPaymentsController } from './wallet-payments/wallet-payments.controller.js';
import { WalletPaymentsService } from './wallet-payments/wallet-payments.service.js';

type PaymentsConfig = Pick<Config, 'isProduction' | 'PAYSTACK_SECRET_KEY' | 'STRIPE_SECRET_KEY'>;

/** Money from customers, through payment providers, into wallets: docs/payments.md. */
@Module({})
export class PaymentsModule {
  /**
   * A payment that names no provider goes to the first: Paystack, Stripe, the sandbox. The sandbox is a provider without money:
   * production has none, nor has who takes real money.
   */
  static async forRoot({
    isProduction,
    PAYSTACK_SECRET_KEY,
    STRIPE_SECRET_KEY,
  }: PaymentsConfig): Promise<DynamicModule> {
    const inUse = [
      ...(paystackMode(PAYSTACK_SECRET_KEY) === undefined ? [] : [PAYSTACK]),
      ...(STRIPE_SECRET_KEY === undefined ? [] : [await stripe()]),
      ...(isProduction || isLive(PAYSTACK_SECRET_KEY) || isLive(STRIPE_SECRET_KEY) ? [] : [SANDBOX]),
    ];
    return {
      module: PaymentsModule,
      imports: [
        TypeOrmModule.forFeature([
          Payment,
          PaymentRefund,
          ProviderOperation,
          Dispute,
          DisputeMovement,
          FraudRule,
          RuleEvaluation,
          ...RECONCILIATION_ENTITIES,
          ...ANALYTICS_ENTITIES,
        ]),
        HttpClientModule,
        JobsModule,
        RateLimitModule,
        AuditModule,
        LedgerModule,
        CoalescerModule,
        WebhooksModule,
      ],
      controllers: [
        ReviewsController,
        PaymentsController,
        DisputesController,
        WalletPaymentsController,
        FraudRulesController,
        ReconciliationsController,
        PaymentFiguresController,
        ...inUse.flatMap<Type>(({ controllers }) => controllers),
      ],
      providers: [
        PaymentsService,
        PaymentCreation,
        PaymentReader,
        RefundsService,
        ReviewsService,
        WalletPaymentsService,
        PaymentsRepository,
        OperationsRepository,
        RefundsRepository,
        PaymentRules,
        FraudRulesService,
        FraudRulesRepository,
        EvaluationsRepository,
        BacktestRepository,
        PaymentBooks,
        PaymentMetrics,
        PaymentChecks,
        ChargeReports,
        ChargeChangesRepository,
        ChargeSettling,
        RefundReports,
        RefundAdoption,
        DisputeReports,
        DisputesRepository,
        DisputesService,
        ProviderCalls,
        ProviderReturns,
        ProviderDirectory,
        ...RECONCILIATION_PROVIDERS,
        ...ANALYTICS_PROVIDERS,
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

/** Loaded where it is used: its package is two hundred files, a twelfth of a start. */
async function stripe() {
  const { STRIPE } = await import('./adapters/stripe/index.js');
  return STRIPE;
}

const SANDBOX = {
  controllers: [SandboxController, SandboxPageController],
  providers: [
    SandboxAddress,
    SandboxKeyGuard,
    SandboxProvider,
    SandboxService,
    SandboxDisputes,
    SandboxBalance,
    SandboxWebhooks,
    SandboxHandlers,
  ],
  adapters: [SandboxProvider],
};

function isLive(secretKey: string | undefined): boolean {
  return secretKey?.includes('_live_') ?? false;
}
