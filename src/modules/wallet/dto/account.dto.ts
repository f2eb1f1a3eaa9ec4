import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean } from 'class-validator';
import type { Currency } from '../../../kernel/currency.js';
import { IsOmittable, IsTimestamp } from '../../../platform/http/index.js';
import { CURRENCY, ID, MINOR_UNITS, TIME } from './schemas.js';
import { IsDescription } from './is-description.decorator.js';
import { IsCurrency } from './is-currency.decorator.js';
import { IsUserId } from './is-user-id.decorator.js';

export class OpenAccountDto {
  /**
   * Whose it is: 1 to 128 visible ASCII characters. End users may leave their own out.
   * @example alice
   */
  @IsOmittable()
  @IsUserId()
  userId?: string;

  @IsCurrency()
  currency: Currency;

  /** Whether it may fall below zero; an account that exists keeps what it has. Not for end users. */
  @ApiPropertyOptional({ default: false })
  @IsOmittable()
  @IsBoolean()
  allowNegative?: boolean;
}

export class FreezeDto {
  /** Why, for the audit log; up to 500 characters. */
  @IsDescription()
  reason: string;
}

/** Which balance. */
export class BalanceQueryDto {
  /**
   * End users may leave their own out.
   * @example alice
   */
  @IsOmittable()
  @IsUserId()
  userId?: string;

  @IsCurrency()
  currency: Currency;

  /** A time of the past; what is told of it is final. Now, if left out. */
  @IsOmittable()
  @IsTimestamp()
  at?: string;
}

/** What is in an account, in minor units. */
export class BalanceDto {
  userId: string;

  @ApiProperty(CURRENCY)
  currency: string;

  /** Everything posted. */
  @ApiProperty(MINOR_UNITS)
  balance: number;

  /** The part of it set aside by active holds. */
  @ApiProperty(MINOR_UNITS)
  held: number;

  /** What can be spent: `balance` − `held`, and less `debt` while that is yet to be repaid. */
  @ApiProperty(MINOR_UNITS)
  available: number;

  /** What the user owes, 0 or more: money that was taken back when it had been spent. What comes in repays it first. */
  @ApiProperty(MINOR_UNITS)
  debt: number;

  /** With `at`, that moment, to the millisecond. Else when this was read, by the database's clock. */
  @ApiProperty(TIME)
  asOf: string;
}

export class AccountDto {
  /** UUID. */
  @ApiProperty(ID)
  id: string;

  userId: string;

  @ApiProperty(CURRENCY)
  currency: string;

  @ApiProperty(MINOR_UNITS)
  balance: number;

  @ApiProperty(MINOR_UNITS)
  held: number;

  @ApiProperty(MINOR_UNITS)
  available: number;

  /** Whether it may fall below zero. */
  allowNegative: boolean;

  /** A frozen account neither pays nor receives. */
  frozen: boolean;

  @ApiProperty(TIME)
  createdAt: string;
}

/** All accounts of a user. */
export class UserAccountsDto {
  data: AccountDto[];
}
