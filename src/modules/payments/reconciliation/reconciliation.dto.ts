import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsIn } from 'class-validator';
import { IsOmittable, IsTimestamp, PageQueryDto } from '../../../platform/http/index.js';
import { CURRENCY, ID, MINOR_UNITS, TIME } from '../../wallet/index.js';
import { PAYMENT_PROVIDERS, type PaymentProviderName } from '../payment.js';
import { MOVEMENT_KINDS } from '../providers/provider-movement.js';
import {
  DIFFERENCE_KINDS,
  DIFFERENCE_STATES,
  type DifferenceState,
  RECONCILIATION_STATUSES,
  RECONCILIATION_STEPS,
} from './reconciliation.js';

/** Compare payments, provider and ledger over a window of time: by the provider's time of each movement. */
export class NewReconciliationDto {
  @IsIn(PAYMENT_PROVIDERS)
  provider: PaymentProviderName;

  /** RFC 3339, down to the second; 48 hours before `to` if left out, and at most 31 days before it. */
  @IsOmittable()
  @IsTimestamp()
  from?: string;

  /** RFC 3339, not included; now if left out. */
  @IsOmittable()
  @IsTimestamp()
  to?: string;
}

export class ReconciliationQueryDto extends PageQueryDto {
  @IsOmittable()
  @IsIn(PAYMENT_PROVIDERS)
  provider?: PaymentProviderName;
}

export class ReconciliationDetailQueryDto extends PageQueryDto {
  /** Only differences of which this has become. */
  @ApiPropertyOptional({ enum: DIFFERENCE_STATES })
  @IsOmittable()
  @IsIn(DIFFERENCE_STATES)
  state?: DifferenceState;
}

export class ReconciliationProgressDto {
  /** What it is at. */
  @ApiProperty({ enum: RECONCILIATION_STEPS })
  step: string;

  /** Up to where the provider's lists have been read. */
  @ApiProperty({ ...TIME, nullable: true })
  collectedTo: string | null;

  /** Read so far. */
  movements: number;

  /** Compared so far. */
  compared: number;

  /** Payments about which the provider was asked. */
  asked: number;
}

export class ReconciliationCountsDto {
  /** At the provider, in the window. */
  movements: number;

  /** The same on all sides. */
  matched: number;

  /** Differed, and were mended: a webhook that never came. */
  healed: number;

  /** The provider moved money that the books do not have. */
  missingHere: number;

  /** The books have money that the provider does not know of. */
  missingThere: number;

  amount: number;

  currency: number;

  /** Known on both sides, and moved on one. */
  status: number;

  /** Announced, and under way. */
  inTransit: number;

  /** Somebody else's in the same account. */
  foreign: number;
}

export class ReconciliationTotalDto {
  /**
   * UTC.
   * @example 2026-01-31
   */
  day: string;

  @ApiProperty(CURRENCY)
  currency: string;

  @ApiProperty({ enum: MOVEMENT_KINDS })
  kind: string;

  count: number;

  /** What the provider's balance gained by it. */
  @ApiProperty(MINOR_UNITS)
  amount: number;
}

export class ReconciliationFeesDto {
  /** UTC. */
  day: string;

  @ApiProperty(CURRENCY)
  currency: string;

  /** What the provider kept of movements. */
  @ApiProperty(MINOR_UNITS)
  amount: number;
}

/** Wallet against provider, over the movements that are ours. */
export class ReconciliationBalanceDto {
  @ApiProperty(CURRENCY)
  currency: string;

  /** What the provider's balance gained, without what is in transit. */
  @ApiProperty(MINOR_UNITS)
  provider: number;

  /** What the clearing account has for it: the same with the other sign. */
  @ApiProperty(MINOR_UNITS)
  clearing: number;

  /** Moved at the provider, not booked, and under way. */
  @ApiProperty(MINOR_UNITS)
  inTransit: number;

  /** Of `provider`, what cannot be paid out yet. */
  @ApiProperty(MINOR_UNITS)
  unavailable: number;

  /** `provider` and `clearing` together: 0 when all is well. */
  @ApiProperty(MINOR_UNITS)
  difference: number;
}

export class ReconciliationReportDto {
  counts: ReconciliationCountsDto;

  /** By day, currency and kind; without what is somebody else's. */
  totals: ReconciliationTotalDto[];

  fees: ReconciliationFeesDto[];

  balances: ReconciliationBalanceDto[];
}

export class ReconciliationDto {
  @ApiProperty(ID)
  id: string;

  @ApiProperty({ enum: PAYMENT_PROVIDERS })
  provider: PaymentProviderName;

  @ApiProperty({ enum: ['test', 'live'] })
  mode: 'test' | 'live';

  @ApiProperty(TIME)
  from: string;

  /** Not included. */
  @ApiProperty(TIME)
  to: string;

  @ApiProperty({ enum: RECONCILIATION_STATUSES })
  status: string;

  progress: ReconciliationProgressDto;

  /** Null until it is completed. */
  report: ReconciliationReportDto | null;

  /** Differences of this report that are open now. */
  open: number;

  /** Why it failed, or why it is being tried again. */
  error: string | null;

  createdBy: string;

  @ApiProperty(TIME)
  createdAt: string;

  @ApiProperty({ ...TIME, nullable: true })
  startedAt: string | null;

  @ApiProperty({ ...TIME, nullable: true })
  finishedAt: string | null;
}

export class ReconciliationPageDto {
  data: ReconciliationDto[];

  /** Send it as `cursor` for the next page; null on the last. */
  nextCursor: string | null;
}

/** One movement of money on which the sides do not agree. */
export class ReconciliationDifferenceDto {
  @ApiProperty(ID)
  id: string;

  @ApiProperty({ enum: DIFFERENCE_KINDS })
  kind: string;

  /** `healed` by this run; `resolved` or `superseded` by a later one, `resolvedBy`; `noted`: nothing to do. */
  @ApiProperty({ enum: DIFFERENCE_STATES })
  state: string;

  @ApiProperty({ enum: MOVEMENT_KINDS })
  movementKind: string;

  /** The provider's id of the movement; `ledger:<reference>` of what only the books have. */
  movement: string;

  /** The provider's id of the charge, refund or dispute. */
  object: string | null;

  @ApiProperty({ ...ID, nullable: true })
  paymentId: string | null;

  @ApiProperty({ ...ID, nullable: true })
  refundId: string | null;

  /** Under which it is, or would be, in the ledger. */
  reference: string | null;

  /** What the provider's balance gained; null where it does not know of it. */
  @ApiProperty({ ...MINOR_UNITS, nullable: true })
  providerAmount: number | null;

  @ApiProperty({ ...CURRENCY, nullable: true })
  providerCurrency: string | null;

  /** What it should have gained by the books; null where they have none of it. */
  @ApiProperty({ ...MINOR_UNITS, nullable: true })
  bookedAmount: number | null;

  @ApiProperty({ ...CURRENCY, nullable: true })
  bookedCurrency: string | null;

  /** `providerAmount` without `bookedAmount`; null for two currencies. */
  @ApiProperty({ ...MINOR_UNITS, nullable: true })
  difference: number | null;

  /** By the provider; by the ledger where only that has it. */
  @ApiProperty(TIME)
  movedAt: string;

  /** What the provider said when it was asked. */
  note: string | null;

  /** The later run. */
  @ApiProperty({ ...ID, nullable: true })
  resolvedBy: string | null;
}

/** With a page of its differences, in the order in which the money moved; there are none before it is completed. */
export class ReconciliationDetailDto extends ReconciliationDto {
  differences: ReconciliationDifferenceDto[];

  /** Send it as `cursor` for more differences; null on the last page. */
  nextCursor: string | null;
}
