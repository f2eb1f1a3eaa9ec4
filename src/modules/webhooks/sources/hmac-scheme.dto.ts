import { IsIn, Matches, MaxLength } from 'class-validator';
import { IsOmittable } from '../../../platform/http/index.js';
import { MAX_TEXT, PREFIX, TEMPLATE } from '../providers/hmac-scheme.js';

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
  @Matches(PREFIX, { message: 'prefix must be at most 64 printable ASCII characters' })
  prefix?: string;

  /**
   * What is signed, of `{body}` (exactly once), `{timestamp}` and `{id}` (which needs an `idHeader`). Default `{body}`.
   * @example {timestamp}.{body}
   */
  @IsOmittable()
  @MaxLength(MAX_TEXT)
  @Matches(TEMPLATE, {
    message: 'template must hold {body} exactly once, and no brace but those of {timestamp} and {id}',
  })
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
