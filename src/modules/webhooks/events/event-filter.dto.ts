import { IsIn, IsString, MaxLength } from 'class-validator';
import { IsOmittable, IsTimestamp } from '../../../platform/http/index.js';
import { EVENT_STATUSES, type EventStatus } from './webhook-event.entity.js';

/** Which events; every field narrows. */
export class EventFilterDto {
  /** A source's name. */
  @IsOmittable()
  @IsString()
  @MaxLength(63)
  source?: string;

  /** For example `DEAD_LETTER`. */
  @IsOmittable()
  @IsIn(EVENT_STATUSES)
  status?: EventStatus;

  /** An event type, exactly. */
  @IsOmittable()
  @IsString()
  @MaxLength(255)
  type?: string;

  /** Received at or after, RFC 3339. */
  @IsOmittable()
  @IsTimestamp()
  from?: string;

  /** Received before, RFC 3339. */
  @IsOmittable()
  @IsTimestamp()
  to?: string;
}
