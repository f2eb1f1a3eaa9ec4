import { ApiProperty } from '@nestjs/swagger';
import { IsIn, Matches } from 'class-validator';
import { IsOmittable, PageQueryDto } from '../../../platform/http/index.js';
import { AMOUNT, CURRENCY, ID, IsUserId, MINOR_UNITS, TIME } from '../../wallet/index.js';
import { DISPUTE_STATUSES, type DisputeStatus } from './dispute.js';
import { PAYMENT_PROVIDERS, type PaymentProviderName } from '../payment.js';

const UUID = /^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$/;

/** Which disputes; every field narrows. */
export class DisputeQueryDto extends PageQueryDto {
  @IsOmittable()
  @IsIn(DISPUTE_STATUSES)
  status?: DisputeStatus;

  @IsOmittable()
  @IsUserId()
  userId?: string;

  /** The id of a payment. */
  @IsOmittable()
  @Matches(UUID, { message: '$property must be an id' })
  payment?: string;
}

export class DisputeDto {
  @ApiProperty(ID)
  id: string;

  @ApiProperty(ID)
  paymentId: string;

  userId: string;

  @ApiProperty({ enum: PAYMENT_PROVIDERS })
  provider: PaymentProviderName;

  /** The provider's id of the dispute. */
  providerReference: string;

  /**
   * `inquiry`: the bank asks, and no money has moved. `open`: the money is claimed. `closed`: over without a winner, for example an
   * inquiry that nobody followed up.
   */
  @ApiProperty({ enum: DISPUTE_STATUSES })
  status: DisputeStatus;

  /**
   * The provider's own word.
   * @example needs_response
   */
  providerStatus: string;

  /** In the provider's words. */
  reason: string | null;

  /** Minor units that are disputed. */
  @ApiProperty(AMOUNT)
  amount: number;

  @ApiProperty(CURRENCY)
  currency: string;

  /** Minor units that the provider took. */
  @ApiProperty(MINOR_UNITS)
  withdrawnAmount: number;

  /** Minor units that the provider gave back. */
  @ApiProperty(MINOR_UNITS)
  reinstatedAmount: number;

  @ApiProperty(TIME)
  openedAt: string;

  @ApiProperty({ ...TIME, nullable: true })
  closedAt: string | null;
}

export class DisputePageDto {
  data: DisputeDto[];

  /** Send it as `cursor` for the next page; null on the last. */
  nextCursor: string | null;
}

/** Money that a dispute moved. */
export class DisputeMovementDto {
  @ApiProperty({ enum: ['withdrawn', 'reinstated'] })
  kind: string;

  @ApiProperty(AMOUNT)
  amount: number;

  @ApiProperty(CURRENCY)
  currency: string;

  /** Where it was taken from, or put. What the wallet lacked is the user's debt. */
  @ApiProperty({ enum: ['wallet', 'suspense'] })
  account: string;

  /** What the provider calls it, for example a balance transaction of Stripe's. */
  providerReference: string;

  @ApiProperty(TIME)
  at: string;
}
