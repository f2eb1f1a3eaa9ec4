import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { IsOmittable, IsTimestamp } from '../../../platform/http/index.js';
import { CURRENCY, MINOR_UNITS, TIME } from '../../wallet/index.js';
import { PAYMENT_PROVIDERS, type PaymentProviderName } from '../payment.js';

export const BUCKETS = ['hour', 'day'] as const;
const GROUPINGS = ['currency', 'provider'] as const;
const MODES = ['test', 'live'] as const;

const COUNT = { type: 'integer', format: 'int64', example: 12 } as const;
const RATE = { type: 'number', example: 0.9524, nullable: true } as const;

export class PaymentFiguresQueryDto {
  /** RFC 3339; the bucket it lies in is the first. 24 hours before `to` if left out, by the day 30 days. */
  @IsOmittable()
  @IsTimestamp()
  from?: string;

  /** RFC 3339, not included; the bucket before it is the last. Now if left out. */
  @IsOmittable()
  @IsTimestamp()
  to?: string;

  /** Hours up to 7 days together, days up to 366; both of UTC. */
  @ApiPropertyOptional({ enum: BUCKETS, default: 'hour' })
  @IsOmittable()
  @IsIn(BUCKETS)
  bucket: (typeof BUCKETS)[number] = 'hour';

  /** With `provider` each has rows of its own. Every currency has, always: money of two is not added up. */
  @ApiPropertyOptional({ enum: GROUPINGS, default: 'currency' })
  @IsOmittable()
  @IsIn(GROUPINGS)
  groupBy: (typeof GROUPINGS)[number] = 'currency';

  /** `live` if left out where a provider takes real money, else `test`. */
  @ApiPropertyOptional({ enum: MODES })
  @IsOmittable()
  @IsIn(MODES)
  mode?: (typeof MODES)[number];
}

/** What happened in one bucket. Integers of any size. */
export class PaymentFiguresRowDto {
  /** The beginning of the hour or day. */
  @ApiProperty(TIME)
  at: string;

  /** Null unless grouped by it. */
  @ApiProperty({ enum: PAYMENT_PROVIDERS, nullable: true })
  provider: PaymentProviderName | null;

  @ApiProperty(CURRENCY)
  currency: string;

  /** Payments that were created, whatever became of them. */
  @ApiProperty(COUNT)
  created: number | bigint;

  /** Payments whose money came. */
  @ApiProperty(COUNT)
  succeeded: number | bigint;

  /** Payments that failed for the first time. */
  @ApiProperty(COUNT)
  failed: number | bigint;

  @ApiProperty(COUNT)
  canceled: number | bigint;

  /** By a rule. */
  @ApiProperty(COUNT)
  declined: number | bigint;

  /** What came, in minor units. */
  @ApiProperty(MINOR_UNITS)
  volume: number | bigint;

  /** Refunds that were paid. */
  @ApiProperty(COUNT)
  refunds: number | bigint;

  @ApiProperty(MINOR_UNITS)
  refundedVolume: number | bigint;

  /** Refunds that came back after they had been paid. */
  @ApiProperty(COUNT)
  returnedRefunds: number | bigint;

  @ApiProperty(MINOR_UNITS)
  returnedVolume: number | bigint;

  /** Disputes that became known, inquiries among them. */
  @ApiProperty(COUNT)
  disputes: number | bigint;

  /** What disputes took. */
  @ApiProperty(MINOR_UNITS)
  withdrawnVolume: number | bigint;

  /** What disputes gave back. */
  @ApiProperty(MINOR_UNITS)
  reinstatedVolume: number | bigint;

  /** `succeeded` of `succeeded` and `failed`, to four digits; null when both are 0. */
  @ApiProperty(RATE)
  successRate: number | null;

  /** `refunds` for each `succeeded`, whenever the refunded payments succeeded; null when none did. */
  @ApiProperty(RATE)
  refundRate: number | null;

  /** `disputes` for each `succeeded`, in the same way. */
  @ApiProperty(RATE)
  disputeRate: number | null;
}

export class PaymentFiguresDto {
  @ApiProperty({ enum: MODES })
  mode: (typeof MODES)[number];

  @ApiProperty({ enum: BUCKETS })
  bucket: (typeof BUCKETS)[number];

  /** The beginning of the first bucket. */
  @ApiProperty(TIME)
  from: string;

  /** The end of the last bucket. */
  @ApiProperty(TIME)
  to: string;

  /** Figures of hours before it never change; null before the first hour is over. */
  @ApiProperty({ ...TIME, nullable: true })
  finalTo: string | null;

  /** Oldest first; buckets in which nothing happened are left out. */
  data: PaymentFiguresRowDto[];
}
