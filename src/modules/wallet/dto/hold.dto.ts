import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { Currency } from '../../../kernel/currency.js';
import { IsOmittable, IsOmittableOrNull } from '../../../platform/http/index.js';
import { IsCurrency } from './is-currency.decorator.js';
import { IsDescription } from './is-description.decorator.js';
import { IsUserId } from './is-user-id.decorator.js';
import { IsAmount, IsWholeNumber } from './is-whole-number.decorator.js';
import { AMOUNT, CURRENCY, ID, TIME } from './schemas.js';

/** Card networks let an authorisation stand for a week, the longest of them for a month. */
const DEFAULT_HOLD_SECONDS = 7 * 86_400;
const MAX_HOLD_SECONDS = 31 * 86_400;

/** Sets money aside until it is captured, voided, or its time is up. */
export class NewHoldDto {
  /**
   * Whose money; end users may leave their own out.
   * @example alice
   */
  @IsOmittable()
  @IsUserId()
  userId?: string;

  /** Minor units, for example cents. */
  @IsAmount()
  amount: number;

  @IsCurrency()
  currency: Currency;

  /**
   * Who gets what is captured; left out, it leaves through the system account `external`.
   * @example bob
   */
  @IsOmittable()
  @IsUserId()
  toUserId?: string;

  /** 1 second to 31 days; 7 days if left out. */
  @ApiPropertyOptional({ default: DEFAULT_HOLD_SECONDS })
  @IsOmittable()
  @IsWholeNumber(MAX_HOLD_SECONDS)
  expiresInSeconds: number = DEFAULT_HOLD_SECONDS;

  /** For people; up to 500 characters. */
  @IsOmittableOrNull()
  @IsDescription()
  description?: string;
}

/** Null is no amount: a sum that a client failed to compute must not mean the whole. */
export class CaptureHoldDto {
  /** Minor units, up to the held amount; the whole of it if left out. */
  @IsOmittable()
  @IsAmount()
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
