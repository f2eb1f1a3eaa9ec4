import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { EventSummaryDto } from './event.dto.js';
import type { EventFilterDto } from './event-filter.dto.js';
import { WebhookAttempt } from './webhook-attempt.entity.js';
import { WebhookEventConflict } from './webhook-event-conflict.entity.js';
import { WebhookEvent } from './webhook-event.entity.js';

const SUMMARY = `
  id, source, event_id AS "eventId", event_type AS "eventType", status, attempts, created_at AS "receivedAt",
  processed_at AS "processedAt", processing_time_ms AS "processingTimeMs", error_message AS "error",
  retry_count AS "retryCount", max_retries AS "maxRetries", next_attempt_at AS "nextAttemptAt",
  (SELECT count(*)::integer FROM webhook_event_conflicts WHERE event = webhook_events.id) AS conflicts`;

/** Which parameters narrow a search, written once for lists and replay jobs. */
export const EVENT_FILTER = `
  ($1::text IS NULL OR source = $1)
  AND ($2::text IS NULL OR status = $2)
  AND ($3::text IS NULL OR event_type = $3)
  AND ($4::timestamptz IS NULL OR created_at >= $4)
  AND ($5::timestamptz IS NULL OR created_at < $5)`;

/** Ids are version 7, so their order is the order of arrival. Indexes: the primary key, or `…_status_idx`, `…_event_type_idx`. */
const LIST = `
  SELECT ${SUMMARY}
  FROM webhook_events
  WHERE ${EVENT_FILTER} AND ($6::uuid IS NULL OR id < $6)
  ORDER BY id DESC
  LIMIT $7`;

/** Index: webhook_events_event_id_source_key. */
const FIND_BY_EVENT_ID = `SELECT ${SUMMARY} FROM webhook_events WHERE event_id = $1 AND source = $2`;

/** Whatever it was, it is as good as new; only an event somebody works on right now is left alone. */
const REPLAY = `
  UPDATE webhook_events
  SET
    status = 'PENDING', processed = false, processed_at = NULL, retry_count = 0, next_attempt_at = now(),
    error_message = NULL, updated_at = now()
  WHERE id = ANY ($1::uuid[]) AND status <> 'PROCESSING'
  RETURNING id`;

export function filterParameters({ source, status, type, from, to }: EventFilterDto): (string | null)[] {
  return [source ?? null, status ?? null, type ?? null, from ?? null, to ?? null];
}

/** Stored events, as operators see them. */
@Injectable()
export class EventsRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Newest first. */
  list(filter: EventFilterDto, before: string | null, limit: number): Promise<EventSummaryDto[]> {
    return this.dataSource.query<EventSummaryDto[]>(LIST, [...filterParameters(filter), before, limit]);
  }

  find(id: string): Promise<WebhookEvent | null> {
    return this.dataSource.manager.findOneBy(WebhookEvent, { id });
  }

  async findByEventId(source: string, eventId: string): Promise<EventSummaryDto | undefined> {
    const [event] = await this.dataSource.query<EventSummaryDto[]>(FIND_BY_EVENT_ID, [eventId, source]);
    return event;
  }

  attempts(event: string): Promise<WebhookAttempt[]> {
    return this.dataSource.manager.find(WebhookAttempt, { where: { event }, order: { attempt: 'ASC' } });
  }

  conflicts(event: string): Promise<WebhookEventConflict[]> {
    return this.dataSource.manager.find(WebhookEventConflict, {
      where: { event },
      order: { createdAt: 'ASC' },
      take: 50,
    });
  }

  async exists(tx: EntityManager, id: string): Promise<boolean> {
    return tx.existsBy(WebhookEvent, { id });
  }

  /** @returns the ids that are due again */
  async replay(tx: EntityManager, ids: readonly string[]): Promise<string[]> {
    const [rows] = await tx.query<[{ id: string }[], number]>(REPLAY, [ids]);
    return rows.map(({ id }) => id);
  }
}
