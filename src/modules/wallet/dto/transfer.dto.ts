import { ApiExtraModels, ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { ArrayMaxSize, ArrayNotEmpty, IsArray, IsIn, ValidateNested } from 'class-validator';
import type { Currency } from '../../../kernel/currency.js';
import { IsOmittable, IsOmittableOrNull } from '../../../platform/http/index.js';
import { IsCurrency } from './is-currency.decorator.js';
import { IsDescription } from './is-description.decorator.js';
import { IsMetadata } from './is-metadata.decorator.js';
import { IsUserId } from './is-user-id.decorator.js';
import { IsAmount } from './is-whole-number.decorator.js';
import { AMOUNT, CURRENCY, ID, METADATA, MINOR_UNITS, TIME } from './schemas.js';

/** Transfers in one batch at most. */
const MAX_BATCH = 1000;
const LIST = { message: `$property must be a list of 1 to ${MAX_BATCH} items` };

export class NewTransferDto {
  /**
   * Who pays; end users may leave their own out.
   * @example alice
   */
  @IsOmittable()
  @IsUserId()
  fromUserId?: string;

  /** @example bob */
  @IsUserId()
  toUserId: string;

  /** Minor units, for example cents. */
  @IsAmount()
  amount: number;

  @IsCurrency()
  currency: Currency;

  /** For people; up to 500 characters. */
  @IsOmittableOrNull()
  @IsDescription()
  description?: string;

  @IsOmittableOrNull()
  @IsMetadata()
  metadata?: Record<string, unknown>;
}

export class NewTransferBatchDto {
  /** `atomic`: all or none. `independent`: each for itself. */
  @IsIn(['atomic', 'independent'])
  mode: 'atomic' | 'independent';

  /** Decided in this order: a later one may spend what an earlier one brought. */
  @ValidateNested({ each: true, message: 'must be a JSON object' })
  @Type(() => NewTransferDto)
  @ArrayMaxSize(MAX_BATCH, LIST)
  @ArrayNotEmpty(LIST)
  @IsArray(LIST)
  transfers: NewTransferDto[];
}

export class TransferDto {
  /** UUID. */
  @ApiProperty(ID)
  id: string;

  fromUserId: string;

  toUserId: string;

  @ApiProperty(AMOUNT)
  amount: number;

  @ApiProperty(CURRENCY)
  currency: string;

  /** The sender's balance after it. */
  @ApiProperty(MINOR_UNITS)
  balanceAfter: number;

  /** Its place in the sender's history: 1, 2, 3, … without a gap. */
  sequence: number;

  description: string | null;

  @ApiProperty({ ...METADATA, nullable: true })
  metadata: Record<string, unknown> | null;

  @ApiProperty(TIME)
  createdAt: string;
}

export class PostedResultDto {
  @ApiProperty({ enum: ['posted'] })
  status: 'posted';

  transfer: TransferDto;
}

export class RejectedResultDto {
  @ApiProperty({ enum: ['rejected'] })
  status: 'rejected';

  /** Why, for example `INSUFFICIENT_FUNDS`; `BATCH_REJECTED` when only another transfer of an atomic batch is to blame. */
  @ApiProperty({ example: 'INSUFFICIENT_FUNDS' })
  code: string;

  detail: string;
}

@ApiExtraModels(PostedResultDto, RejectedResultDto)
export class TransferBatchDto {
  /** One for each transfer, in their order. */
  @ApiProperty({
    type: 'array',
    items: { oneOf: [{ $ref: getSchemaPath(PostedResultDto) }, { $ref: getSchemaPath(RejectedResultDto) }] },
  })
  results: (PostedResultDto | RejectedResultDto)[];
}
