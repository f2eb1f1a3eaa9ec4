import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsBoolean, IsIn, IsInt, IsOptional, Max, Min } from 'class-validator';
import { RATE_LIMIT_RULES, type RateLimitRuleName } from '../../config/index.js';
import { IsOmittable, IsTimestamp, NeedsOneOf } from '../../platform/http/index.js';

/** Those of webhooks are set at their sources. */
export const OVERRIDABLE = RATE_LIMIT_RULES.filter((name) => name !== 'webhooks');

const MAX_LIMIT = 100_000_000;

// Validators run from the bottom up and the first that fails is named, so each list ends with the plainest.
@NeedsOneOf('limit', 'shadow')
export class SetRateLimitOverrideDto {
  /** The rule that is to be another one for the subject. */
  @ApiProperty({ type: String, example: 'perMinute' })
  @IsIn(OVERRIDABLE)
  rule: RateLimitRuleName;

  /** Requests in the rule's window; 0 for no limit. Left out: as it is. */
  @ApiPropertyOptional({ example: 600 })
  @IsOmittable()
  @Max(MAX_LIMIT)
  @Min(0)
  @IsInt()
  limit?: number;

  /** True: decided and counted, never refused. Left out: as it is. */
  @ApiPropertyOptional()
  @IsOmittable()
  @IsBoolean()
  shadow?: boolean;

  /** In force until then, RFC 3339; until it is removed, if left out. */
  @IsOptional()
  @IsTimestamp()
  until?: string | null;
}

export class RemoveRateLimitOverrideQueryDto {
  /** Of this rule; of all, if left out. */
  @ApiPropertyOptional({ enum: OVERRIDABLE })
  @IsOptional()
  @IsIn(OVERRIDABLE)
  rule?: RateLimitRuleName;
}

export class RateLimitOverrideDto {
  /** null: not changed. */
  @ApiProperty({ type: 'integer', nullable: true })
  limit: number | null;

  /** null: not changed. */
  @ApiProperty({ type: Boolean, nullable: true })
  shadow: boolean | null;

  /** null: until it is removed. */
  until: Date | null;

  /** Who set it, for example `api-key:<id>`. */
  setBy: string;

  setAt: Date;
}

export class AppliedRateLimitDto {
  @ApiProperty({ enum: RATE_LIMIT_RULES })
  rule: RateLimitRuleName;

  /** Requests in the window; 0 for no limit. */
  limit: number;

  windowSeconds: number;

  @ApiProperty({ enum: ['sliding-window', 'token-bucket'] })
  algorithm: string;

  /** Decided and counted, never refused. */
  shadow: boolean;

  /** Requests that count right now. null for `everyone`, who is nobody in particular. */
  @ApiProperty({ type: 'integer', nullable: true })
  used: number | null;

  /** Requests left right now; null where there is no limit. */
  @ApiProperty({ type: 'integer', nullable: true })
  remaining: number | null;

  /** When the whole limit is free again if nothing more comes; null when it is. */
  resetAt: Date | null;

  @ApiProperty({ type: RateLimitOverrideDto, nullable: true })
  override: RateLimitOverrideDto | null;
}

export class RateLimitsDto {
  /** As it is counted: of an IPv6 address the first of its /64, of a key that shares limits the key it shares them with. */
  subject: string;

  /** Which of them apply depends on the route: `docs/operations.md`. */
  @ApiProperty({ type: [AppliedRateLimitDto] })
  limits: AppliedRateLimitDto[];
}
