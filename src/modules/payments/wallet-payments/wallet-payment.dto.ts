import { Type } from 'class-transformer';
import { IsIn, IsObject, Matches, ValidateNested } from 'class-validator';
import { IsEmailAddress, IsOmittable, IsOmittableOrNull } from '../../../platform/http/index.js';
import { IsAmount, IsCurrency, IsUserId } from '../../wallet/index.js';
import { PAYMENT_PROVIDERS, type PaymentProviderName } from '../payment.js';
import { IsDecimal } from './is-decimal.decorator.js';
import { PaymentContextDto } from '../dto/payment-context.dto.js';
import { PaymentDto } from '../dto/payment.dto.js';

/** Money into a wallet: `amount_usd`, or `amount` and `currency`. */
export class InitializeDto {
  /** Left out, the end user who is calling. */
  @IsOmittable()
  @IsUserId()
  userId?: string;

  /**
   * US dollars with at most two decimals, as a number or a text; `10.1` is 1010 cents.
   * @example 10.1
   */
  @IsOmittable()
  @IsDecimal()
  amount_usd?: number | string;

  /** Minor units, for example cents. */
  @IsOmittable()
  @IsAmount()
  amount?: number;

  @IsOmittable()
  @IsCurrency()
  currency?: string;

  @IsOmittableOrNull()
  @IsEmailAddress()
  email?: string;

  @IsOmittable()
  @IsIn(PAYMENT_PROVIDERS)
  provider?: PaymentProviderName;

  /** What is known of who pays, for the fraud rules. Not for end users: of them the address they call from is taken. */
  @IsOmittable()
  @IsObject()
  @ValidateNested()
  @Type(() => PaymentContextDto)
  context?: PaymentContextDto;
}

export class InitializedDto {
  /** Ask for the outcome by it. */
  reference: string;

  /** Where the customer pays. */
  authorizationUrl: string | null;

  /** For the provider's own dialog, where it has one. */
  accessCode: string | null;

  payment: PaymentDto;
}

export class VerifyDto {
  /** As `initialize` answered it. */
  @Matches(/^[\x21-\x7e]{1,255}$/, { message: '$property must be a text of 1 to 255 visible ASCII characters' })
  reference: string;
}
