import { LedgerSide } from './ledger-side.js';
import { ConclusionRepository } from './conclusion.repository.js';
import { DifferencesRepository } from './differences.repository.js';
import { MovementCollector } from './movement-collector.js';
import { MovementComparer } from './movement-comparer.js';
import { MovementHealer } from './movement-healer.js';
import { MovementsRepository } from './movements.repository.js';
import { NightlyReconciliation } from './nightly-reconciliation.js';
import { PaidDisputes } from './paid-disputes.js';
import { ProviderQuestions } from './provider-questions.js';
import { ReconciliationConclusion } from './reconciliation-conclusion.js';
import { ReconciliationDifference } from './reconciliation-difference.entity.js';
import { ReconciliationMetrics } from './reconciliation-metrics.js';
import { ReconciliationMovement } from './reconciliation-movement.entity.js';
import { ReconciliationRunner } from './reconciliation-runner.js';
import { Reconciliation } from './reconciliation.entity.js';
import { ReconciliationsRepository } from './reconciliations.repository.js';
import { ReconciliationsService } from './reconciliations.service.js';
import { UnseenPostingsRepository } from './unseen-postings.repository.js';

export { ReconciliationsController } from './reconciliations.controller.js';

export const RECONCILIATION_ENTITIES = [Reconciliation, ReconciliationMovement, ReconciliationDifference];

/** For `PaymentsModule`. */
export const RECONCILIATION_PROVIDERS = [
  ReconciliationsService,
  ReconciliationsRepository,
  MovementsRepository,
  UnseenPostingsRepository,
  DifferencesRepository,
  ConclusionRepository,
  MovementCollector,
  MovementComparer,
  MovementHealer,
  PaidDisputes,
  ProviderQuestions,
  LedgerSide,
  ReconciliationConclusion,
  ReconciliationRunner,
  NightlyReconciliation,
  ReconciliationMetrics,
];
