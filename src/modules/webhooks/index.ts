import { ReplayJob } from './replay/replay-job.entity.js';
import { WebhookAttempt } from './events/webhook-attempt.entity.js';
import { WebhookEventConflict } from './events/webhook-event-conflict.entity.js';
import { WebhookEvent } from './events/webhook-event.entity.js';
import { WebhookSourceSecret } from './sources/webhook-source-secret.entity.js';
import { SOURCE_SECRETS } from './sources/source-secret.js';
import { WebhookSource } from './sources/webhook-source.entity.js';

/** For the data source; other modules use the services. */
export const WEBHOOK_ENTITIES = [
  WebhookSource,
  WebhookSourceSecret,
  WebhookEvent,
  WebhookAttempt,
  WebhookEventConflict,
  ReplayJob,
];

/** For a rotation of the encryption key. */
export const WEBHOOK_SEALED_COLUMNS = [SOURCE_SECRETS];

export { WebhookIntake } from './ingest/webhook-intake.js';
export { PermanentWebhookError, RetryAfterError } from './processing/handler.errors.js';
export type { WebhookEventMessage } from './processing/webhook-event-message.js';
export { WebhookHandler, type WebhookHandlerOptions } from './processing/webhook-handler.decorator.js';
export { UNTYPED } from './providers/event-identity.js';
export { webhookProvider } from './providers/provider-registry.js';
export { PROVIDER_NAMES, type ProviderName } from './providers/webhook-provider.js';
export { EnvironmentSources } from './sources/environment-sources.js';
export { SourceDirectory } from './sources/source-directory.js';
export { SourcesService } from './sources/sources.service.js';
export { WebhooksModule } from './webhooks.module.js';
