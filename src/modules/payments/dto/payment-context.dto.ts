import { Transform } from 'class-transformer';
import { Matches } from 'class-validator';
import { IsOmittableOrNull } from '../../../platform/http/index.js';
import { plainAddress } from '../../../kernel/plain-address.js';
import { IsPlainAddress } from './is-plain-address.decorator.js';

const VISIBLE = /^[\x21-\x7e]{1,255}$/;
const TEXT = { message: '$property must be a text of 1 to 255 visible ASCII characters' };

/** Who pays, as far as a service knows: what the fraud rules look at. */
export class PaymentContextDto {
  /**
   * The customer's address, v4 or v6.
   * @example 198.51.100.7
   */
  @IsOmittableOrNull()
  @Transform(({ value }: { value: unknown }) => (typeof value === 'string' ? (plainAddress(value) ?? value) : value))
  @IsPlainAddress()
  ip?: string;

  /**
   * Where the customer is, ISO 3166.
   * @example DE
   */
  @IsOmittableOrNull()
  @Matches(/^[A-Z]{2}$/, { message: '$property must be two capital letters (ISO 3166), for example DE' })
  country?: string;

  /**
   * What stays the same of a card, whoever uses it; for example Stripe's `fingerprint`.
   * @example Xt5EWLLDS7FJjR1c
   */
  @IsOmittableOrNull()
  @Matches(VISIBLE, TEXT)
  cardFingerprint?: string;

  /** What stays the same of the customer's device. */
  @IsOmittableOrNull()
  @Matches(VISIBLE, TEXT)
  deviceId?: string;
}
