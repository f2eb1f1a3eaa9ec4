import { ApiProperty, IntersectionType } from '@nestjs/swagger';
import { PageQueryDto } from '../../../platform/http/index.js';
import { EventFilterDto } from './event-filter.dto.js';
import type { AttemptOutcome } from './webhook-attempt.entity.js';
import type { EventStatus } from './webhook-event.entity.js';

/** Which events to list; every field narrows. Newest first. */
export class EventQueryDto extends IntersectionType(PageQueryDto, EventFilterDto) {}

/** How far an event has come. */
export class EventStatusDto {
  @ApiProperty({ format: 'uuid' })
  id: string;
  source: string;
  /** The provider's id. */
  eventId: string;
  eventType: string;
  status: EventStatus;
  /** Attempts so far. */
  attempts: number;
  receivedAt: Date;
  processedAt: Date | null;
  /** Of the attempt that succeeded. */
  processingTimeMs: number | null;
  /** Of the last attempt that failed. */
  error: string | null;
}

export class EventSummaryDto extends EventStatusDto {
  retryCount: number;
  maxRetries: number;
  /** When it is tried next; null when nothing is due. */
  nextAttemptAt: Date | null;
  /** Other bodies received under the same id. */
  conflicts: number;
}

export class EventListDto {
  data: EventSummaryDto[];
  nextCursor: string | null;
}

/** One try to process an event. */
export class AttemptDto {
  attempt: number;
  /** `abandoned`: the worker did not come back before its lease ended. */
  outcome: AttemptOutcome;
  error: string | null;
  startedAt: Date;
  durationMs: number;
  /** Host and process id. */
  worker: string;
}

/** Another body received under the same id. */
export class EventConflictDto {
  @ApiProperty({ format: 'uuid' })
  id: string;
  payloadHash: string;
  /** The body, base64. */
  bodyBase64: string;
  ipAddress: string | null;
  receivedAt: Date;
}

/** One event with everything known about it. */
export class EventDetailDto extends EventSummaryDto {
  idempotencyKey: string;
  /** The body as JSON, integers exact up to 1000 digits; null when it nests deeper than 500 levels: then see `bodyBase64`. */
  payload: unknown;
  /** The exact bytes received, base64. */
  bodyBase64: string;
  /** SHA-256, hex. */
  payloadHash: string;
  /** Request headers; credentials and signatures redacted. */
  headers: Record<string, string>;
  /** From the path, `/webhooks/:source/:topic`. */
  topic: string | null;
  /** What several events may have come from: Shopify's event id, beside its webhook id in `eventId`. */
  causeId: string | null;
  /** The time the provider signed. */
  signedAt: Date | null;
  orderingKey: string | null;
  occurredAt: Date | null;
  ipAddress: string | null;
  userAgent: string | null;
  /** The secret whose signature matched. */
  @ApiProperty({ format: 'uuid' })
  secretId: string | null;
  /** The process that is running it, host and process id. */
  claimedBy: string | null;
  attemptLog: AttemptDto[];
  conflictLog: EventConflictDto[];
  updatedAt: Date;
}

/** The event is due again. */
export class ReplayedDto {
  @ApiProperty({ format: 'uuid' })
  id: string;
  status: EventStatus;
}
