import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
  ValidateNested,
} from 'class-validator';
import { IsOmittable, NeedsOneOf } from '../../../platform/http/index.js';
import { AreAddressRanges } from './are-address-ranges.decorator.js';
import { HEADER_NAME, HmacSchemeDto, JSON_PATH } from './hmac-scheme.dto.js';
import { PROVIDER_NAMES, type ProviderName } from '../providers/webhook-provider.js';
import type { OrderingMode, Origin, ProcessingMode } from './webhook-source.entity.js';

/** As for `WEBHOOK_BODY_LIMIT_BYTES`. */
const MAX_BODY_LIMIT_BYTES = 64 * 1024 * 1024;
const MAX_OVERLAP_SECONDS = 30 * 24 * 3600;

/** What can be changed about a source. */
@NeedsOneOf()
export class ChangeSourceDto {
  /**
   * How many seconds a signed time may lie before or after now.
   * @example 300
   */
  @IsOmittable()
  @IsInt()
  @Min(1)
  @Max(86_400)
  toleranceSeconds?: number;

  /**
   * Addresses that may send, as CIDR ranges or single addresses, v4 or v6. Empty: everyone.
   * @example ["192.0.2.0/24", "2001:db8::/32"]
   */
  @IsOmittable()
  @IsArray()
  @ArrayMaxSize(200)
  @AreAddressRanges()
  allowedIps?: string[];

  /** Requests per minute and address; 0 for no limit, null for the server's default. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(100_000_000)
  rateLimitPerMinute?: number | null;

  /** `async`: answered once stored. `inline`: the handlers run before the answer. */
  @IsOmittable()
  @IsIn(['async', 'inline'])
  processing?: ProcessingMode;

  /** `entity`: events of one entity (for example a payment intent) run one after the other. */
  @IsOmittable()
  @IsIn(['none', 'entity'])
  ordering?: OrderingMode;

  /** Retries before an event becomes a dead letter; null for the server's default. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(100)
  maxRetries?: number | null;

  /** Bytes of a body at most; null for 25 MiB from GitHub, else the server's default. */
  @IsOptional()
  @IsInt()
  @Min(1024)
  @Max(MAX_BODY_LIMIT_BYTES)
  bodyLimitBytes?: number | null;

  /** Only for the provider `hmac`. */
  @IsOmittable()
  @IsObject()
  @ValidateNested()
  @Type(() => HmacSchemeDto)
  scheme?: HmacSchemeDto;

  /**
   * The header with the event type, for the providers `standard` and `gorgias`; it comes before `typePath`. Null for none.
   * @example X-Event-Type
   */
  @IsOptional()
  @Matches(HEADER_NAME)
  typeHeader?: string | null;

  /**
   * Path of the event type in the body, for the providers `standard` and `gorgias`. Null for none.
   * @example data.kind
   */
  @IsOptional()
  @Matches(JSON_PATH)
  typePath?: string | null;
}

/** A new place for webhooks to come in. */
export class CreateSourceDto extends ChangeSourceDto {
  /**
   * The last part of the URL, `/webhooks/<name>`.
   * @example stripe-eu
   */
  @Matches(/^[a-z0-9][a-z0-9_-]{0,62}$/, {
    message: 'name must be 1 to 63 of a-z, 0-9, "-", "_", starting with a letter or digit',
  })
  name: string;

  /** Who sends. */
  @IsIn(PROVIDER_NAMES)
  provider: ProviderName;

  /** The signing secret, as the provider shows it. Stored encrypted; never shown again. */
  @IsString()
  @MinLength(8)
  @MaxLength(512)
  secret: string;
}

/** A new secret for a source. */
export class RotateSecretDto {
  /** The new signing secret, as the provider shows it. */
  @IsString()
  @MinLength(8)
  @MaxLength(512)
  secret: string;

  /**
   * How long the secrets it replaces are still accepted. 0 ends them at once.
   * @example 86400
   */
  @IsOmittable()
  @IsInt()
  @Min(0)
  @Max(MAX_OVERLAP_SECONDS)
  overlapSeconds?: number;
}

/** A secret without its value. */
export class SourceSecretDto {
  @ApiProperty({ format: 'uuid' })
  id: string;
  /** `environment` for the one given as a variable. */
  origin: Origin;
  createdAt: Date;
  /** Null: accepted until it is replaced. */
  expiresAt: Date | null;
}

/** A source. Secrets are write-only. */
export class SourceDto {
  name: string;
  provider: ProviderName;
  /** Where the provider sends its webhooks. */
  url: string;
  toleranceSeconds: number;
  allowedIps: string[];
  rateLimitPerMinute: number | null;
  processing: ProcessingMode;
  ordering: OrderingMode;
  maxRetries: number | null;
  bodyLimitBytes: number | null;
  scheme: HmacSchemeDto | null;
  typeHeader: string | null;
  typePath: string | null;
  origin: Origin;
  /** Those accepted now, newest first. */
  secrets: SourceSecretDto[];
  createdAt: Date;
  updatedAt: Date;
}

export class SourceListDto {
  data: SourceDto[];
  nextCursor: string | null;
}
