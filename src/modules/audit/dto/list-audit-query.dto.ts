import { IsOptional, IsString, MaxLength } from 'class-validator';
import { IsTimestamp, PageQueryDto } from '../../../platform/http/index.js';

/** Which audit lines to list; several filters narrow the list together. */
export class ListAuditQueryDto extends PageQueryDto {
  /** Only what this one did, for example `api-key:0195b6b0-…`. */
  @IsOptional()
  @IsString()
  @MaxLength(255)
  actor?: string;

  /** Only this kind of action, for example `webhook.rejected`. */
  @IsOptional()
  @IsString()
  @MaxLength(100)
  action?: string;

  /** Only what was done to this, for example `webhook-source:stripe`. */
  @IsOptional()
  @IsString()
  @MaxLength(255)
  subject?: string;

  /** Only lines written at this time or later, RFC 3339. */
  @IsOptional()
  @IsTimestamp()
  from?: string;

  /** Only lines written before this time, RFC 3339. */
  @IsOptional()
  @IsTimestamp()
  to?: string;
}
