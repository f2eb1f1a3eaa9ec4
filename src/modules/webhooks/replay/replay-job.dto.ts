import { Type } from 'class-transformer';
import {
  IsBoolean,
  IsIn,
  IsInt,
  IsNotEmptyObject,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { IsTimestamp } from '../../../platform/http/index.js';
import { EVENT_STATUSES, type EventStatus } from '../events/webhook-event.entity.js';
import type { ReplayJobStatus } from './replay-job.entity.js';

/** Which events; every field narrows, at least one is needed. */
export class ReplayFilterDto {
  /** A source's name. */
  @IsOptional()
  @IsString()
  @MaxLength(63)
  source?: string;

  /** For example `DEAD_LETTER`. */
  @IsOptional()
  @IsIn(EVENT_STATUSES.filter((status) => status !== 'PROCESSING'))
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

/** Replay many events. */
export class CreateReplayJobDto {
  // Fields that were left out or are null narrow nothing, and an event is not replayed by mistake.
  @IsNotEmptyObject({ nullable: false })
  @ValidateNested()
  @Type(() => ReplayFilterDto)
  filter: ReplayFilterDto;

  /** Only count what would be replayed. */
  @IsOptional()
  @IsBoolean()
  dryRun?: boolean;

  /** Events per second at most. Default 50. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(10_000)
  ratePerSecond?: number;
}

/** A bulk replay and how far it has come. */
export class ReplayJobDto {
  id: string;
  filter: ReplayFilterDto;
  dryRun: boolean;
  ratePerSecond: number;
  status: ReplayJobStatus;
  /** Events that matched when the job was made. */
  total: number;
  /** Looked at so far. */
  examined: number;
  /** Made due again so far. */
  replayed: number;
  error: string | null;
  createdBy: string;
  createdAt: Date;
  finishedAt: Date | null;
}

export class ReplayJobListDto {
  data: ReplayJobDto[];
  nextCursor: string | null;
}
