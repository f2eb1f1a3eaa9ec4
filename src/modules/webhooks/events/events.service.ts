import { Injectable } from '@nestjs/common';
import { ConflictError, NotFoundError } from '../../../kernel/app-error.js';
import { decodeCursor, pageOf } from '../../../kernel/cursor.js';
import { isNestedTooDeeply, type JsonValue, parseExactJson } from '../../../kernel/exact-json.js';
import { isUuid } from '../../../kernel/ids.js';
import type { RequestContext } from '../../../platform/auth/index.js';
import { IdempotentTransactor, type RequestClaim } from '../../../platform/idempotency/index.js';
import { READ_COMMITTED } from '../../../platform/transaction/index.js';
import { AuditLog } from '../../audit/index.js';
import { webhookJson } from './webhook-body.js';
import { WebhookWorker } from '../processing/webhook-worker.js';
import type { EventDetailDto, EventListDto, EventQueryDto, EventStatusDto, ReplayedDto } from './event.dto.js';
import type { WebhookAttempt } from './webhook-attempt.entity.js';
import type { WebhookEventConflict } from './webhook-event-conflict.entity.js';
import type { WebhookEvent } from './webhook-event.entity.js';
import { EventsRepository } from './events.repository.js';

/** 409: a worker is running the event right now. */
class EventInProgressError extends ConflictError {
  override readonly code = 'WEBHOOK_EVENT_IN_PROGRESS';
}

/** Looking at events, and running them again. */
@Injectable()
export class EventsService {
  constructor(
    private readonly repository: EventsRepository,
    private readonly transactor: IdempotentTransactor,
    private readonly audit: AuditLog,
    private readonly worker: WebhookWorker,
  ) {}

  async list({ limit, cursor, ...filter }: EventQueryDto): Promise<EventListDto> {
    const before = cursor === undefined ? null : decodeCursor(cursor, { id: 'uuid' }).id;
    const rows = await this.repository.list(filter, before, limit + 1);
    return pageOf(
      rows,
      limit,
      ({ id }) => ({ id }),
      (event) => event,
    );
  }

  /** @throws NotFoundError */
  async get(id: string): Promise<EventDetailDto> {
    const event = isUuid(id) ? await this.repository.find(id) : null;
    if (!event) throw notFound();
    const [attempts, conflicts] = await Promise.all([this.repository.attempts(id), this.repository.conflicts(id)]);
    return present(event, attempts, conflicts);
  }

  /** @throws NotFoundError */
  async status(source: string, eventId: string): Promise<EventStatusDto> {
    const event = isText(source) && isText(eventId) ? await this.repository.findByEventId(source, eventId) : undefined;
    if (!event) throw notFound();
    const { id, eventType, status, attempts, receivedAt, processedAt, processingTimeMs, error } = event;
    return { id, source, eventId, eventType, status, attempts, receivedAt, processedAt, processingTimeMs, error };
  }

  /**
   * Runs the event again now, whatever became of it.
   *
   * @throws NotFoundError, EventInProgressError (409)
   */
  async replay(id: string, context: RequestContext, claim?: RequestClaim): Promise<ReplayedDto> {
    if (!isUuid(id)) throw notFound();
    const replayed = await this.transactor.run(
      claim,
      async (tx): Promise<ReplayedDto> => {
        const found = await this.repository.replay(tx, [id]);
        if (found.length === 0) {
          if (await this.repository.exists(tx, id))
            throw new EventInProgressError('A worker is running this event right now.', { retryAfter: 1 });
          throw notFound();
        }
        await this.audit.record(tx, [{ ...context, action: 'webhook.replayed', subject: `webhook-event:${id}` }]);
        return { id, status: 'PENDING' };
      },
      READ_COMMITTED,
    );
    this.worker.ring();
    return replayed;
  }
}

function present(
  event: WebhookEvent,
  attempts: readonly WebhookAttempt[],
  conflicts: readonly WebhookEventConflict[],
): EventDetailDto {
  const { headers, topic, signedAt, causeId } = event.metadata;
  return {
    id: event.id,
    source: event.source,
    eventId: event.eventId,
    eventType: event.eventType,
    idempotencyKey: event.idempotencyKey,
    status: event.status,
    attempts: event.attempts,
    retryCount: event.retryCount,
    maxRetries: event.maxRetries,
    nextAttemptAt: event.nextAttemptAt,
    receivedAt: event.createdAt,
    occurredAt: event.occurredAt,
    signedAt: signedAt === undefined ? null : new Date(signedAt),
    processedAt: event.processedAt,
    processingTimeMs: event.processingTimeMs,
    updatedAt: event.updatedAt,
    error: event.errorMessage,
    payload: payloadOf(event),
    bodyBase64: event.rawBody.toString('base64'),
    payloadHash: event.payloadHash,
    headers,
    topic: topic ?? null,
    causeId: causeId ?? null,
    orderingKey: event.orderingKey,
    ipAddress: event.ipAddress,
    userAgent: event.userAgent,
    secretId: event.secretId,
    claimedBy: event.claimedBy,
    conflicts: conflicts.length,
    attemptLog: attempts.map(({ attempt, outcome, error, startedAt, durationMs, worker }) => {
      return { attempt, outcome, error, startedAt, durationMs, worker };
    }),
    conflictLog: conflicts.map(({ id, payloadHash, rawBody, ipAddress, createdAt }) => {
      return { id, payloadHash, bodyBase64: rawBody.toString('base64'), ipAddress, receivedAt: createdAt };
    }),
  };
}

/**
 * From the bytes, not from jsonb: exact integers, and also what jsonb cannot hold. Null for what earlier versions took in
 * deeper than an answer can be written.
 */
function payloadOf({ rawBody, metadata }: WebhookEvent): JsonValue {
  const json = webhookJson(rawBody, metadata.headers['content-type']);
  return isNestedTooDeeply(json) ? null : parseExactJson(json);
}

/** PostgreSQL's text has no NUL, so nothing stored can have this name. */
function isText(text: string): boolean {
  return !text.includes('\0');
}

function notFound(): NotFoundError {
  return new NotFoundError('There is no such webhook event.');
}
