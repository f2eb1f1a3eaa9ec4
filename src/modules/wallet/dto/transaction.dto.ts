import { ApiProperty } from '@nestjs/swagger';
import { IsIn, Matches } from 'class-validator';
import type { Currency } from '../../../kernel/currency.js';
import { IsOmittable, IsOmittableOrNull, PageQueryDto } from '../../../platform/http/index.js';
import { IsCurrency } from './is-currency.decorator.js';
import { IsDescription } from './is-description.decorator.js';
import { IsMetadata } from './is-metadata.decorator.js';
import { IsUserId } from './is-user-id.decorator.js';
import { IsAmount } from './is-whole-number.decorator.js';
import { CURRENCY, ID, METADATA, MINOR_UNITS, TIME } from './schemas.js';

/** `payment` belongs to payments, the other two to the ledger. */
const CATEGORY = /^(?!(?:payment|debt_shortfall|debt_repayment)$)[A-Za-z0-9_.:-]{1,64}$/;

/** It goes into URLs and log lines: visible ASCII only. */
const REFERENCE = /^[\x21-\x7e]{1,200}$/;

/** Money that comes in from outside (CREDIT) or goes out (DEBIT): the other side is the system account `external`. */
export class NewTransactionDto {
  /**
   * Whose account; end users may leave their own out.
   * @example alice
   */
  @IsOmittable()
  @IsUserId()
  userId?: string;

  /** End users may not CREDIT. */
  @IsIn(['CREDIT', 'DEBIT'])
  type: 'CREDIT' | 'DEBIT';

  /** Minor units, for example cents. */
  @IsAmount()
  amount: number;

  @IsCurrency()
  currency: Currency;

  /** For people; up to 500 characters. */
  @IsOmittableOrNull()
  @IsDescription()
  description?: string;

  /** What it was for, for example `usage.api_calls`: 1 to 64 letters, digits or `_ . : -`. */
  @IsOmittableOrNull()
  @Matches(CATEGORY, {
    message: '$property must be 1 to 64 letters, digits or _ . : -, and not payment, debt_shortfall or debt_repayment',
  })
  category?: string;

  /** Your name for what is charged, used once: a second transaction with it is refused with 409. */
  @IsOmittableOrNull()
  @Matches(REFERENCE, { message: '$property must be a text of 1 to 200 visible ASCII characters' })
  reference?: string;

  @IsOmittableOrNull()
  @IsMetadata()
  metadata?: Record<string, unknown>;
}

/** The other side of a transaction. */
export class CounterpartyDto {
  /** `debt` is what the user owes. */
  @ApiProperty({ enum: ['user', 'system', 'debt'] })
  kind: 'user' | 'system' | 'debt';

  /** The user, the system account's name, or the user who owes. */
  @ApiProperty({ example: 'external' })
  id: string;
}

/** A movement of money, seen from one account: a line of its statement. */
export class TransactionDto {
  /** UUID. The two accounts of a transfer see it under the same id. */
  @ApiProperty(ID)
  id: string;

  /** What moved it, for example `CREDIT`, `DEBIT` or `TRANSFER`. */
  @ApiProperty({ example: 'CREDIT' })
  type: string;

  userId: string;

  /** Minor units; negative when money left the account. */
  @ApiProperty(MINOR_UNITS)
  amount: number;

  @ApiProperty(CURRENCY)
  currency: string;

  /** The account's balance after it. */
  @ApiProperty(MINOR_UNITS)
  balanceAfter: number;

  /** Its place in the account's history: 1, 2, 3, … without a gap. */
  sequence: number;

  counterparty: CounterpartyDto;

  description: string | null;

  category: string | null;

  reference: string | null;

  @ApiProperty({ ...METADATA, nullable: true })
  metadata: Record<string, unknown> | null;

  /** The transaction this one undoes. */
  @ApiProperty({ ...ID, nullable: true })
  reverses: string | null;

  /** The hold it captured. */
  @ApiProperty({ ...ID, nullable: true })
  holdId: string | null;

  @ApiProperty(TIME)
  createdAt: string;
}

export class TransactionPageDto {
  data: TransactionDto[];

  /** Send it as `cursor` for the next page; null on the last. */
  nextCursor: string | null;
}

/** Whose statement. */
export class StatementQueryDto extends PageQueryDto {
  /** End users may leave their own out. */
  @IsOmittable()
  @IsUserId()
  userId?: string;

  @IsCurrency()
  currency: Currency;
}
