import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  IsArray,
  IsIn,
  IsInt,
  IsString,
  Max,
  MaxLength,
  Min,
  MinLength,
} from 'class-validator';
import { IsOmittable, NeedsOneOf } from '../../../../platform/http/index.js';
import { CURRENCY, ID, IsCurrency, MINOR_UNITS, TIME } from '../../../wallet/index.js';
import {
  EVALUATION_OUTCOMES,
  type EvaluationOutcome,
  RULE_ACTIONS,
  RULE_KINDS,
  RULE_MODES,
  RULE_SUBJECTS,
  type RuleAction,
  type RuleKind,
  type RuleMode,
  type RuleSubject,
} from '../fraud-rule.js';

/** 90 days. */
const MAX_WINDOW_SECONDS = 90 * 86_400;
const MAX_VALUES = 1000;
const MAX_VALUE_LENGTH = 255;
const MAX_DAYS = 90;

/** The figures of a rule. Which of them it has is said by its kind; others are refused. */
export class RuleSettingsDto {
  /** Whose payments are taken together, or what is looked up in the list. */
  @ApiPropertyOptional({ enum: RULE_SUBJECTS })
  @IsOmittable()
  @IsIn(RULE_SUBJECTS)
  by?: RuleSubject;

  /**
   * So far back, sliding; of `new_account` the age below which an account is new.
   * @example 3600
   */
  @IsOmittable()
  @IsInt()
  @Min(1)
  @Max(MAX_WINDOW_SECONDS)
  windowSeconds?: number;

  /**
   * How many, or how much in minor units, is still all right: with 3 the fourth matches.
   * @example 3
   */
  @IsOmittable()
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  limit?: number;

  /** Of `amount` and `sum`: only payments in it are looked at. */
  @IsOmittable()
  @IsCurrency()
  currency?: string;

  /**
   * Of `list`: addresses may be ranges (`192.0.2.0/24`), e-mail addresses whole domains (`@example.com`).
   * @example ["192.0.2.0/24"]
   */
  @IsOmittable()
  @IsArray()
  @ArrayNotEmpty()
  @ArrayMaxSize(MAX_VALUES)
  @IsString({ each: true })
  @MaxLength(MAX_VALUE_LENGTH, { each: true })
  values?: string[];

  /** `shadow` is recorded and has no effect; `off` is not even evaluated. */
  @ApiPropertyOptional({ enum: RULE_MODES, default: 'active' })
  @IsOmittable()
  @IsIn(RULE_MODES)
  mode?: RuleMode;
}

export class NewFraudRuleDto extends RuleSettingsDto {
  /**
   * For people.
   * @example Three an hour
   */
  @IsString()
  @MinLength(1)
  @MaxLength(100)
  name: string;

  @ApiProperty({ enum: RULE_KINDS })
  @IsIn(RULE_KINDS)
  kind: RuleKind;

  /** The strongest of the rules that match: `block`, `allow`, `decline`, `review`. The first two are for lists. */
  @ApiProperty({ enum: RULE_ACTIONS })
  @IsIn(RULE_ACTIONS)
  action: RuleAction;
}

/** What can be changed about a rule: all but its kind. */
@NeedsOneOf()
export class ChangeFraudRuleDto extends RuleSettingsDto {
  @IsOmittable()
  @IsString()
  @MinLength(1)
  @MaxLength(100)
  name?: string;

  @ApiPropertyOptional({ enum: RULE_ACTIONS })
  @IsOmittable()
  @IsIn(RULE_ACTIONS)
  action?: RuleAction;
}

export class FraudRuleDto {
  @ApiProperty(ID)
  id: string;

  name: string;

  @ApiProperty({ enum: RULE_KINDS })
  kind: RuleKind;

  @ApiProperty({ enum: RULE_ACTIONS })
  action: RuleAction;

  @ApiProperty({ enum: RULE_MODES })
  mode: RuleMode;

  @ApiProperty({ enum: RULE_SUBJECTS, nullable: true })
  by: RuleSubject | null;

  windowSeconds: number | null;

  @ApiProperty({ ...MINOR_UNITS, nullable: true })
  limit: number | null;

  currency: string | null;

  values: string[] | null;

  @ApiProperty(TIME)
  createdAt: string;

  @ApiProperty(TIME)
  updatedAt: string;
}

export class FraudRulePageDto {
  data: FraudRuleDto[];

  /** Send it as `cursor` for the next page; null on the last. */
  nextCursor: string | null;
}

export class BacktestInputDto {
  /** How many days to look back. */
  @ApiPropertyOptional({ default: 30 })
  @IsOmittable()
  @IsInt()
  @Min(1)
  @Max(MAX_DAYS)
  days: number = 30;
}

export class BacktestPaymentDto {
  @ApiProperty(ID)
  id: string;

  userId: string;

  @ApiProperty(MINOR_UNITS)
  amount: number;

  @ApiProperty(CURRENCY)
  currency: string;

  /** As it is now. */
  status: string;

  @ApiProperty(TIME)
  createdAt: string;

  /** What the rule would have compared. */
  @ApiProperty(MINOR_UNITS)
  figure: number;
}

/** What a rule would have made of the payments of the last days. */
export class BacktestDto {
  @ApiProperty(ID)
  rule: string;

  days: number;

  /** How many there were. */
  payments: number;

  /** Of these, those that say nothing the rule looks at. */
  skipped: number;

  /** Of these, those it would have matched. */
  matched: number;

  /** The newest 100 of those. */
  newest: BacktestPaymentDto[];
}

/** What a rule made of a payment when that was created. */
export class RuleEvaluationDto {
  @ApiProperty(ID)
  rule: string;

  /** As the rule was then, like all of it. */
  name: string;

  @ApiProperty({ enum: RULE_KINDS })
  kind: RuleKind;

  @ApiProperty({ enum: RULE_ACTIONS })
  action: RuleAction;

  /** `shadow`: it had no say. */
  @ApiProperty({ enum: RULE_MODES })
  mode: RuleMode;

  /** `skipped`: the payment says nothing the rule looks at. */
  @ApiProperty({ enum: EVALUATION_OUTCOMES })
  outcome: EvaluationOutcome;

  /** How many, how much in minor units, or how many seconds. */
  @ApiProperty({ ...MINOR_UNITS, nullable: true })
  figure: number | null;

  /** What it was compared with. */
  @ApiProperty(MINOR_UNITS)
  threshold: number;

  @ApiProperty(TIME)
  at: string;
}
