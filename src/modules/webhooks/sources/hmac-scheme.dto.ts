import { IsIn, IsString, Matches, MaxLength } from 'class-validator';
import { IsOmittable } from '../../../platform/http/index.js';

export const HEADER_NAME = /^[A-Za-z0-9-]{1,64}$/;
export const JSON_PATH = /^[A-Za-z0-9_$-]{1,64}(\.[A-Za-z0-9_$-]{1,64}){0,9}$/;

/** How a custom sender signs. Every field has a default, so an empty object is a plain hex HMAC-SHA256 of the body. */
export class HmacSchemeDto {
  /**
   * Default `X-Signature`.
   * @example X-Signature
   */
  @IsOmittable()
  @Matches(HEADER_NAME)
  signatureHeader?: string;

  /** Default `sha256`. */
  @IsOmittable()
  @IsIn(['sha256', 'sha384', 'sha512'])
  algorithm?: 'sha256' | 'sha384' | 'sha512';

  /** Default `hex`. */
  @IsOmittable()
  @IsIn(['hex', 'base64', 'base64url'])
  encoding?: 'hex' | 'base64' | 'base64url';

  /**
   * Text before the encoded signature. Default none.
   * @example sha256=
   */
  @IsOmittable()
  @IsString()
  @MaxLength(64)
  prefix?: string;

  /**
   * What is signed, of `{body}` (exactly once), `{timestamp}` and `{id}`. Default `{body}`.
   * @example {timestamp}.{body}
   */
  @IsOmittable()
  @IsString()
  @MaxLength(256)
  template?: string;

  /** Where `{timestamp}` (unix seconds) is. Default `X-Timestamp`. */
  @IsOmittable()
  @Matches(HEADER_NAME)
  timestampHeader?: string;

  /** The header with the event id; without it `idPath` is used. */
  @IsOmittable()
  @Matches(HEADER_NAME)
  idHeader?: string;

  /**
   * Path of the event id in the body. Default `id`.
   * @example data.id
   */
  @IsOmittable()
  @Matches(JSON_PATH)
  idPath?: string;

  /** The header with the event type; without it `typePath` is used. */
  @IsOmittable()
  @Matches(HEADER_NAME)
  typeHeader?: string;

  /** Path of the event type in the body. Default `type`. */
  @IsOmittable()
  @Matches(JSON_PATH)
  typePath?: string;
}
