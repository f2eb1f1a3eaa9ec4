import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { ArrayNotEmpty, ArrayUnique, IsArray, IsIn, IsOptional, IsString, Length, Matches } from 'class-validator';
import { IsTimestamp } from '../../platform/http/index.js';
import { type Scope, SCOPES } from '../../platform/auth/index.js';
import type { ApiKeyLimits } from './api-key.entity.js';
import { IsLimits } from './is-limits.decorator.js';

const LIMITS_SCHEMA = { type: 'object', additionalProperties: { type: 'integer', minimum: 0 } } as const;

// Validators run from the bottom up and the first that fails is named, so each list ends with the plainest.
export class CreateApiKeyDto {
  /** What the key is for, for people; 1 to 100 characters. */
  @Matches(/\S/, { message: 'name must have a visible character' })
  @Matches(/^\P{Cc}+$/u, { message: 'name must not have control characters' })
  @Length(1, 100)
  @IsString()
  name: string;

  /** What the key may do; no more than the key that creates it. */
  @ApiProperty({ type: [String], example: ['webhooks:read'] })
  @ArrayUnique()
  @IsIn(SCOPES, { each: true })
  @ArrayNotEmpty()
  @IsArray()
  scopes: Scope[];

  /** When it stops working, RFC 3339; with the key that creates it at the latest, and never if that one never does. */
  @IsOptional()
  @IsTimestamp()
  expiresAt?: string | null;

  /**
   * Rate limits of this key's own by name; 0 turns one off. For admins; without, those of the key that creates it, in which
   * its requests are counted too unless an admin creates it.
   */
  @ApiPropertyOptional({ type: 'object', additionalProperties: true, example: { perMinute: 600 } })
  @IsOptional()
  @IsLimits()
  limits?: ApiKeyLimits | null;
}

export class RevokeApiKeyQueryDto {
  /** `true`: also the keys that this admin key made, which stay otherwise. Those of other keys always end with them. */
  @ApiPropertyOptional({ enum: ['true', 'false'] })
  @IsOptional()
  @IsIn(['true', 'false'])
  descendants?: string;
}

export class ApiKeyDto {
  /** UUID. */
  @ApiProperty({ format: 'uuid' })
  id: string;

  name: string;

  /** The start of the key, to recognise it by. */
  prefix: string;

  @ApiProperty({ enum: SCOPES, isArray: true })
  scopes: Scope[];

  createdAt: Date;

  /** Who created it, for example `api-key:<id>`, `cli` or `system`. */
  createdBy: string;

  /** The key that made it, with which it is revoked; null when no key did. */
  @ApiProperty({ format: 'uuid' })
  makerId: string | null;

  /** The key in whose rate limits its requests are counted; null: in its own. */
  @ApiProperty({ format: 'uuid' })
  sharesLimitsOf: string | null;

  /** null: never. */
  expiresAt: Date | null;

  /** null while the key works. */
  revokedAt: Date | null;

  /** Up to a minute late; null before the first use. */
  lastUsedAt: Date | null;

  @ApiProperty({ ...LIMITS_SCHEMA, nullable: true })
  limits: ApiKeyLimits | null;
}

export class CreatedApiKeyDto extends ApiKeyDto {
  /** The key itself. It is shown this once, and in repeats of the request that made it; it cannot be read otherwise. */
  key: string;
}

export class ApiKeyPageDto {
  data: ApiKeyDto[];

  /** Send it as `cursor` for the next page; null on the last. */
  nextCursor: string | null;
}
