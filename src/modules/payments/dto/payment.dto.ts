import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsObject, Matches, ValidateNested } from 'class-validator';
import {
  IsEmailAddress,
  IsOmittable,
  IsOmittableOrNull,
  IsTimestamp,
  PageQueryDto,
} from '../../../platform/http/index.js';
import {
  AMOUNT,
  CURRENCY,
  ID,
  IsAmount,
  IsCurrency,
  IsDescription,
  IsMetadata,
  IsUserId,
  METADATA,
  MINOR_UNITS,
  TIME,
} from '../../wallet/index.js';
import { DisputeDto } from '../disputes/dispute.dto.js';
import { RuleEvaluationDto } from '../rules/dto/fraud-rule.dto.js';
import { PaymentContextDto } from './payment-context.dto.js';
import { IsMetadataFilter } from './is-metadata-filter.decorator.js';
import { CHARGE_STATUSES, PAYMENT_PROVIDERS, type PaymentProviderName } from '../payment.js';

/** What a payment is shown as: where its charge stands, or `unknown` while nobody can say whether it was made. */
export const PAYMENT_STATUSES = [...CHARGE_STATUSES, 'unknown'] as const;
export type PaymentStatus = (typeof PAYMENT_STATUSES)[number];

/** It goes into URLs and log lines: visible ASCII only. */
const REFERENCE = /^[\x21-\x7e]{1,200}$/;
const METHOD = /^[A-Z][A-Z0-9_]{0,63}$/;
const PROVIDER_METHOD = /^[\x21-\x7e]{1,255}$/;

export class NewPaymentDto {
  /**
   * Whose wallet is credited; end users may leave their own out.
   * @example alice
   */
  @IsOmittable()
  @IsUserId()
  userId?: string;

  /** Minor units, for example cents. */
  @IsAmount()
  amount: number;

  @IsCurrency()
  currency: string;

  /** Left out, the first that is configured: Paystack, Stripe, the sandbox. */
  @IsOmittable()
  @IsIn(PAYMENT_PROVIDERS)
  provider?: PaymentProviderName;

  /** Your name for what is paid, for example an order. A user has one open payment for it. */
  @IsOmittableOrNull()
  @Matches(REFERENCE, { message: '$property must be a text of 1 to 200 visible ASCII characters' })
  reference?: string;

  /** The customer's; some providers need it. */
  @IsOmittableOrNull()
  @IsEmailAddress()
  email?: string;

  /**
   * What kind of means of payment it is, for your own records.
   * @example CREDIT_CARD
   */
  @IsOmittableOrNull()
  @Matches(METHOD, { message: '$property must be capital letters, digits and _, for example CREDIT_CARD' })
  paymentMethod?: string;

  /**
   * The provider's id of a means of payment: with it the payment is confirmed at once.
   * @example pm_card_visa
   */
  @IsOmittableOrNull()
  @Matches(PROVIDER_METHOD, { message: '$property must be a text of 1 to 255 visible ASCII characters' })
  providerPaymentMethod?: string;

  /** `manual` authorises now; a capture of its own takes the money. */
  @ApiPropertyOptional({ default: 'automatic' })
  @IsOmittable()
  @IsIn(['automatic', 'manual'])
  capture: 'automatic' | 'manual' = 'automatic';

  /** For people; up to 500 characters. */
  @IsOmittableOrNull()
  @IsDescription()
  description?: string;

  @IsOmittableOrNull()
  @IsMetadata()
  metadata?: Record<string, unknown>;

  /** What you know of who pays, for the fraud rules. Not from end users: of them the address they call from counts. */
  @IsOmittable()
  @IsObject()
  @ValidateNested()
  @Type(() => PaymentContextDto)
  context?: PaymentContextDto;
}

/** Once it is known whose it is. */
export type OwnedPaymentDto = NewPaymentDto & { readonly userId: string };

export class CapturePaymentDto {
  /** Minor units, up to what was authorised; the whole of it if left out. The rest is released. */
  @IsOmittable()
  @IsAmount()
  amount?: number;
}

export class NewRefundDto {
  /** Minor units; all that can be refunded if left out. */
  @IsOmittable()
  @IsAmount()
  amount?: number;

  /** For people; up to 500 characters. */
  @IsOmittableOrNull()
  @IsDescription()
  reason?: string;
}

/** Which payments; every field narrows. `metadata.<key>=<value>` finds by a text in the metadata. */
export class PaymentQueryDto extends PageQueryDto {
  @IsOmittable()
  @IsUserId()
  userId?: string;

  @IsOmittable()
  @IsIn(CHARGE_STATUSES)
  status?: string;

  @IsOmittable()
  @IsIn(PAYMENT_PROVIDERS)
  provider?: PaymentProviderName;

  /** Yours. */
  @IsOmittable()
  @Matches(REFERENCE, { message: '$property must be a text of 1 to 200 visible ASCII characters' })
  reference?: string;

  /** Created at or after, RFC 3339. */
  @IsOmittable()
  @IsTimestamp()
  from?: string;

  /** Created before, RFC 3339. */
  @IsOmittable()
  @IsTimestamp()
  to?: string;

  /** `metadata.<key>=<value>`: texts in the metadata. */
  @ApiPropertyOptional({ type: 'object', additionalProperties: { type: 'string' } })
  @IsOmittable()
  @IsMetadataFilter()
  metadata?: Record<string, string>;
}

export class PaymentFailureDto {
  /** @example card_declined */
  code: string;

  /**
   * The bank's word.
   * @example insufficient_funds
   */
  declineCode?: string;

  message: string;
}

export class PaymentDto {
  @ApiProperty(ID)
  id: string;

  userId: string;

  @ApiProperty({ enum: PAYMENT_STATUSES })
  status: PaymentStatus;

  @ApiProperty({ enum: PAYMENT_PROVIDERS })
  provider: PaymentProviderName;

  @ApiProperty({ enum: ['test', 'live'] })
  mode: 'test' | 'live';

  /** The provider's id of the charge. */
  providerReference: string | null;

  /** Yours. */
  reference: string | null;

  @ApiProperty(AMOUNT)
  amount: number;

  @ApiProperty(CURRENCY)
  currency: string;

  @ApiProperty({ enum: ['automatic', 'manual'] })
  capture: 'automatic' | 'manual';

  /** Minor units that the provider received. */
  @ApiProperty(MINOR_UNITS)
  capturedAmount: number;

  /** Minor units that went back to the customer. */
  @ApiProperty(MINOR_UNITS)
  refundedAmount: number;

  /** Minor units that disputes took, without what they gave back. */
  @ApiProperty(MINOR_UNITS)
  disputedAmount: number;

  /**
   * Minor units that can go back: what was captured, without what went back or is on its way, and without what disputes took or,
   * while they are open, claim.
   */
  @ApiProperty(MINOR_UNITS)
  refundableAmount: number;

  /** Where the captured money is: the user's wallet, or `suspense`, when something was not as it should be. */
  @ApiProperty({ enum: ['wallet', 'suspense'], nullable: true })
  settledTo: 'wallet' | 'suspense' | null;

  /** Why somebody should look at it. */
  review: string | null;

  /** Where the customer goes on. */
  authorizationUrl: string | null;

  /** For the provider's own dialog, where it has one. */
  accessCode: string | null;

  /**
   * What the customer's page confirms the payment with, for example Stripe's Elements. In answers to who takes or verifies the
   * payment, as long as that is to be done; never when it is only read.
   */
  clientSecret?: string;

  failure: PaymentFailureDto | null;

  paymentMethod: string | null;

  description: string | null;

  @ApiProperty({ ...METADATA, nullable: true })
  metadata: Record<string, unknown> | null;

  @ApiProperty(TIME)
  createdAt: string;

  @ApiProperty(TIME)
  updatedAt: string;
}

export class PaymentPageDto {
  data: PaymentDto[];

  /** Send it as `cursor` for the next page; null on the last. */
  nextCursor: string | null;
}

export class PaymentTransitionDto {
  @ApiProperty({ enum: CHARGE_STATUSES, nullable: true })
  from: string | null;

  @ApiProperty({ enum: CHARGE_STATUSES })
  to: string;

  reason: string | null;

  @ApiProperty({ enum: ['api', 'webhook', 'reconciler'] })
  source: string;

  actor: string;

  /** The webhook event that brought it. */
  @ApiProperty({ ...ID, nullable: true })
  event: string | null;

  @ApiProperty(TIME)
  at: string;
}

export class RefundDto {
  @ApiProperty(ID)
  id: string;

  @ApiProperty(ID)
  paymentId: string;

  @ApiProperty({ enum: ['pending', 'requires_action', 'succeeded', 'failed', 'canceled', 'unknown'] })
  status: string;

  @ApiProperty(AMOUNT)
  amount: number;

  @ApiProperty(CURRENCY)
  currency: string;

  /** `provider`: it was made there, in its dashboard for example, and became known here. */
  @ApiProperty({ enum: ['api', 'provider'] })
  origin: 'api' | 'provider';

  /** The provider's id of the refund. */
  providerReference: string | null;

  reason: string | null;

  failure: PaymentFailureDto | null;

  @ApiProperty(TIME)
  createdAt: string;
}

export class RefundListDto {
  data: RefundDto[];
}

/** A call to the provider. */
export class OperationDto {
  @ApiProperty(ID)
  id: string;

  @ApiProperty({ enum: ['create', 'capture', 'cancel', 'refund'] })
  kind: string;

  @ApiProperty({ ...MINOR_UNITS, nullable: true })
  amount: number | null;

  /** `pending`: under way. `unknown`: sent, and nobody knows yet what became of it; the provider is asked by itself. */
  @ApiProperty({ enum: ['pending', 'succeeded', 'failed', 'unknown'] })
  outcome: string;

  failure: PaymentFailureDto | null;

  @ApiProperty(TIME)
  createdAt: string;

  @ApiProperty({ ...TIME, nullable: true })
  finishedAt: string | null;
}

/** Who paid, as far as somebody said so. */
export class ShownContextDto {
  ip: string | null;
  country: string | null;
  cardFingerprint: string | null;
  deviceId: string | null;
}

/** With all that happened to it. */
export class PaymentDetailDto extends PaymentDto {
  transitions: PaymentTransitionDto[];

  refunds: RefundDto[];

  disputes: DisputeDto[];

  operations: OperationDto[];

  /** What was said of who pays; for staff and services. */
  context?: ShownContextDto;

  /** What the fraud rules made of it when it was created; for staff and services. */
  evaluations?: RuleEvaluationDto[];
}

/** A payment that waits for somebody to look at it. */
export class ReviewDto extends PaymentDto {
  /** The fraud rules that want it looked at; empty when it waits for something else. */
  evaluations: RuleEvaluationDto[];
}

export class ReviewPageDto {
  data: ReviewDto[];

  /** Send it as `cursor` for the next page; null on the last. */
  nextCursor: string | null;
}
