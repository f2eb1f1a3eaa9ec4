import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import { IsTimestamp } from '../../../platform/http/index.js';
import { EVENT_STATUSES, type EventStatus } from './webhook-event.entity.js';

/** Which events; every field narrows. */
export class EventFilterDto {
  /** A source's name. */
  @IsOptional()
  @IsString()
  @MaxLength(63)
  source?: string;

  /** For example `DEAD_LETTER`. */
  @IsOptional()
  @IsIn(EVENT_STATUSES)
  status?: EventStatus;

  /** An event type, exactly. */
  @IsOptional()
  @IsString()
  @MaxLength(255)
  type?: string;

  /** Received at or after, RFC 3339. */
  @IsOptional()
  @IsTimestamp()
  from?: string;

  /** Received before, RFC 3339. */
  @IsOptional()
  @IsTimestamp()
  to?: string;
}
