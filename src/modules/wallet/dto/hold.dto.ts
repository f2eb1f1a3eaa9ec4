import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { AMOUNT, CURRENCY, DESCRIPTION, HOLD_SECONDS, ID, TIME, USER } from './schemas.js';

/** Sets money aside until it is captured, voided, or its time is up. */
export class NewHoldDto {
  @ApiProperty(USER)
  userId: string;

  @ApiProperty(AMOUNT)
  amount: number;

  @ApiProperty(CURRENCY)
  currency: string;

  /** Who gets what is captured; left out, it leaves through the system account `external`. */
  @ApiPropertyOptional({ ...USER, example: 'bob' })
  toUserId?: string;

  /** 1 second to 31 days; 7 days if left out. */
  @ApiPropertyOptional(HOLD_SECONDS)
  expiresInSeconds?: number;

  /** For people; up to 500 characters. */
  @ApiPropertyOptional(DESCRIPTION)
  description?: string;
}

export class CaptureHoldDto {
  @ApiPropertyOptional({ ...AMOUNT, description: 'Minor units, up to the held amount; the whole of it if left out.' })
  amount?: number;
}

export class HoldDto {
  /** UUID. */
  @ApiProperty(ID)
  id: string;

  userId: string;

  /** Who gets what is captured; null: it leaves through `external`. */
  toUserId: string | null;

  @ApiProperty(AMOUNT)
  amount: number;

  /** Of the captured part; null until then. */
  @ApiProperty({ ...AMOUNT, nullable: true })
  captured: number | null;

  @ApiProperty(CURRENCY)
  currency: string;

  @ApiProperty({ enum: ['ACTIVE', 'CAPTURED', 'VOIDED', 'EXPIRED'] })
  status: 'ACTIVE' | 'CAPTURED' | 'VOIDED' | 'EXPIRED';

  /** From then on it cannot be captured. */
  @ApiProperty(TIME)
  expiresAt: string;

  /** The transaction that captured it. */
  @ApiProperty({ ...ID, nullable: true })
  transactionId: string | null;

  description: string | null;

  @ApiProperty(TIME)
  createdAt: string;
}
