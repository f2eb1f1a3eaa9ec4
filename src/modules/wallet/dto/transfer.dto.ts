import { ApiExtraModels, ApiProperty, ApiPropertyOptional, getSchemaPath } from '@nestjs/swagger';
import { MAX_BATCH } from '../requests/bounds.js';
import { AMOUNT, CURRENCY, DESCRIPTION, ID, METADATA, MINOR_UNITS, TIME, USER } from './schemas.js';

export class NewTransferDto {
  @ApiProperty(USER)
  fromUserId: string;

  @ApiProperty({ ...USER, example: 'bob' })
  toUserId: string;

  @ApiProperty(AMOUNT)
  amount: number;

  @ApiProperty(CURRENCY)
  currency: string;

  /** For people; up to 500 characters. */
  @ApiPropertyOptional(DESCRIPTION)
  description?: string;

  @ApiPropertyOptional({ ...METADATA, nullable: true })
  metadata?: Record<string, unknown>;
}

export class NewTransferBatchDto {
  /** `atomic`: all or none. `independent`: each for itself. */
  @ApiProperty({ enum: ['atomic', 'independent'] })
  mode: 'atomic' | 'independent';

  /** Decided in this order: a later one may spend what an earlier one brought. */
  @ApiProperty({ type: [NewTransferDto], minItems: 1, maxItems: MAX_BATCH })
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
