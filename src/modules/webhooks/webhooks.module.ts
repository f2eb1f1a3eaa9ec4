import { Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { TypeOrmModule } from '@nestjs/typeorm';
import { ClockModule } from '../../platform/clock/index.js';
import { CoalescerModule } from '../../platform/coalescer/index.js';
import { EncryptionModule } from '../../platform/encryption/index.js';
import { LocksModule } from '../../platform/locks/index.js';
import { AuditModule } from '../audit/index.js';
import { EventsController } from './events/events.controller.js';
import { EventsRepository } from './events/events.repository.js';
import { EventsService } from './events/events.service.js';
import { GithubPingHandler } from './handlers/github-ping.handler.js';
import { IngestController } from './ingest/ingest.controller.js';
import { IngestService } from './ingest/ingest.service.js';
import { RejectionLog } from './ingest/rejection-log.js';
import { WebhookIntake } from './ingest/webhook-intake.js';
import { WebhookRejections } from './ingest/webhook-rejections.js';
import { WebhookEventWriter } from './ingest/webhook-event.writer.js';
import { ClaimsInFlight } from './processing/claims-in-flight.js';
import { ClaimsRepository } from './processing/claims.repository.js';
import { DeadLetters } from './processing/dead-letters.js';
import { EventGroups } from './processing/event-groups.js';
import { EventProcessor } from './processing/event-processor.js';
import { HandlerRegistry } from './processing/handler-registry.js';
import { InlineProcessor } from './ingest/inline-processor.js';
import { SweepsRepository } from './processing/sweeps.repository.js';
import { WebhookSweeps } from './processing/webhook-sweeps.js';
import { WebhookWorker } from './processing/webhook-worker.js';
import { ReplayJob } from './replay/replay-job.entity.js';
import { ReplayJobsController } from './replay/replay-jobs.controller.js';
import { ReplayJobsRepository } from './replay/replay-jobs.repository.js';
import { ReplayJobsService } from './replay/replay-jobs.service.js';
import { ReplayRunner } from './replay/replay-runner.js';
import { EnvironmentSources } from './sources/environment-sources.js';
import { SourceDirectory } from './sources/source-directory.js';
import { SourcesController } from './sources/sources.controller.js';
import { SourcesRepository } from './sources/sources.repository.js';
import { SourcesService } from './sources/sources.service.js';
import { WebhookSource } from './sources/webhook-source.entity.js';
import { WebhookSourceSecret } from './sources/webhook-source-secret.entity.js';
import { WebhookMetrics } from './webhook-metrics.js';

const SOURCES = [SourcesRepository, SourceDirectory, SourcesService, EnvironmentSources];
const INGEST = [WebhookEventWriter, RejectionLog, WebhookRejections, WebhookIntake, IngestService];
const PROCESSING = [
  HandlerRegistry,
  ClaimsRepository,
  ClaimsInFlight,
  DeadLetters,
  EventGroups,
  EventProcessor,
  InlineProcessor,
  WebhookWorker,
  SweepsRepository,
  WebhookSweeps,
];
const OPERATIONS = [EventsRepository, EventsService, ReplayJobsRepository, ReplayJobsService, ReplayRunner];

/** Webhooks in: from a signed request to an effect that happens once. */
@Module({
  imports: [
    TypeOrmModule.forFeature([WebhookSource, WebhookSourceSecret, ReplayJob]),
    DiscoveryModule,
    ClockModule,
    CoalescerModule,
    EncryptionModule,
    LocksModule,
    AuditModule,
  ],
  controllers: [IngestController, SourcesController, EventsController, ReplayJobsController],
  providers: [WebhookMetrics, ...SOURCES, ...INGEST, ...PROCESSING, ...OPERATIONS, GithubPingHandler],
  exports: [EnvironmentSources, SourcesService, SourceDirectory, WebhookIntake],
})
export class WebhooksModule {}
