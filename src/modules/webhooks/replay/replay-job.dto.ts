import { ApiProperty, OmitType } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsBoolean, IsIn, IsInt, IsNotEmptyObject, Max, Min, ValidateNested } from 'class-validator';
import { IsOmittable } from '../../../platform/http/index.js';
import { EventFilterDto } from '../events/event-filter.dto.js';
import { EVENT_STATUSES, type EventStatus } from '../events/webhook-event.entity.js';
import type { ReplayJobStatus } from './replay-job.entity.js';

/** Which events to replay; at least one field is needed. One that a worker is running is left alone. */
export class ReplayFilterDto extends OmitType(EventFilterDto, ['status']) {
  @IsOmittable()
  @IsIn(EVENT_STATUSES.filter((status) => status !== 'PROCESSING'))
  status?: EventStatus;
}

/** Replay many events. */
export class CreateReplayJobDto {
  // Fields that were left out narrow nothing, and an event is not replayed by mistake.
  @IsNotEmptyObject({ nullable: false })
  @ValidateNested()
  @Type(() => ReplayFilterDto)
  filter: ReplayFilterDto;

  /** Only count what would be replayed. */
  @IsOmittable()
  @IsBoolean()
  dryRun?: boolean;

  /** Events per second at most. Default 50. */
  @IsOmittable()
  @IsInt()
  @Min(1)
  @Max(10_000)
  ratePerSecond?: number;
}

/** A bulk replay and how far it has come. */
export class ReplayJobDto {
  @ApiProperty({ format: 'uuid' })
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
  createdBy: string;
  createdAt: Date;
  finishedAt: Date | null;
}

export class ReplayJobListDto {
  data: ReplayJobDto[];
  nextCursor: string | null;
}
