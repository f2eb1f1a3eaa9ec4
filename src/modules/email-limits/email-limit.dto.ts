import { ApiProperty } from '@nestjs/swagger';
import { IsInt, IsOptional, Max, Min } from 'class-validator';
import { MAX_EMAIL_LIMIT } from '../../config/index.js';
import { IsTimestamp } from '../../platform/http/index.js';
import { EMAIL_LIMIT_KINDS, type EmailLimitKind } from './email-limit-kind.js';

// Validators run from the bottom up and the first that fails is named, so each list ends with the plainest.
export class SetEmailLimitOverrideDto {
  /** Mails in any hour; 0 for no limit. */
  @ApiProperty({ example: 20 })
  @Max(MAX_EMAIL_LIMIT)
  @Min(0)
  @IsInt()
  limit: number;

  /** In force until then, RFC 3339; until it is removed, if left out. */
  @IsOptional()
  @IsTimestamp()
  until?: string | null;
}

export class EmailLimitOverrideDto {
  /** 0: no limit. */
  @ApiProperty({ type: 'integer' })
  limit: number;

  /** null: until it is removed. */
  until: Date | null;

  /** Who set it, for example `api-key:<id>`. */
  setBy: string;

  setAt: Date;
}

export class EmailLimitDto {
  @ApiProperty({ enum: EMAIL_LIMIT_KINDS })
  kind: EmailLimitKind;

  /** As it is counted: in lower case, its domain in ASCII. */
  @ApiProperty({ example: 'anna@example.com' })
  email: string;

  /** Attempts of the last hour that were let through. Refused ones do not count, nor those made without a limit. */
  @ApiProperty({ type: 'integer' })
  count: number;

  /** Attempts in any hour; 0 for no limit. */
  @ApiProperty({ type: 'integer' })
  limit: number;

  /** null where there is no limit. */
  @ApiProperty({ type: 'integer', nullable: true })
  remaining: number | null;

  /** When one more is free; null when nothing is used. */
  resetAt: Date | null;

  /** Of the last hour, oldest first. */
  @ApiProperty({ type: [Date] })
  attempts: Date[];

  @ApiProperty({ type: EmailLimitOverrideDto, nullable: true })
  override: EmailLimitOverrideDto | null;
}
