import { ValidationError } from '../../../kernel/app-error.js';
import { DIGEST_BYTES } from './signature.js';
import type { HmacScheme } from './webhook-provider.js';

/** What an `hmac` source uses for each field it leaves out. */
export const DEFAULT_HMAC_SCHEME: HmacScheme = {
  signatureHeader: 'X-Signature',
  algorithm: 'sha256',
  encoding: 'hex',
  prefix: '',
  template: '{body}',
  idPath: 'id',
  typePath: 'type',
};
export const DEFAULT_TIMESTAMP_HEADER = 'X-Timestamp';

/** RFC 9110, section 5.6.2, of a sensible length. */
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/;
const JSON_PATH = /^[^.\p{Cc}]+(?:\.[^.\p{Cc}]+)*$/u;
export const PREFIX = /^[\x20-\x7e]{0,64}$/;
export const MAX_TEXT = 255;
/** `{body}` once, `{timestamp}` and `{id}` as often as they are needed, and no other brace that opens. */
export const TEMPLATE = /^(?:[^{]|\{timestamp\}|\{id\})*\{body\}(?:[^{]|\{timestamp\}|\{id\})*$/;

/**
 * Completes and checks a scheme an operator gives. Where an id or type header is named, it wins over a path.
 *
 * @throws ValidationError (400) naming every field that is wrong, as `scheme.<field>`
 */
export function hmacScheme(given: Partial<HmacScheme>): HmacScheme {
  const scheme = complete(given);
  const errors = [
    ...headerErrors(scheme),
    ...pathErrors(scheme),
    ...templateErrors(scheme),
    ...(Object.hasOwn(DIGEST_BYTES, scheme.algorithm) ? [] : [wrong('algorithm', 'must be sha256, sha384 or sha512')]),
    ...(['hex', 'base64', 'base64url'].includes(scheme.encoding)
      ? []
      : [wrong('encoding', 'must be hex, base64 or base64url')]),
    ...(PREFIX.test(scheme.prefix) ? [] : [wrong('prefix', 'must be at most 64 printable ASCII characters')]),
  ];
  if (errors.length > 0) throw ValidationError.of(errors);
  return scheme;
}

function complete(given: Partial<HmacScheme>): HmacScheme {
  const template = given.template ?? DEFAULT_HMAC_SCHEME.template;
  const timestampHeader =
    given.timestampHeader ?? (template.includes('{timestamp}') ? DEFAULT_TIMESTAMP_HEADER : undefined);
  const idPath = given.idPath ?? DEFAULT_HMAC_SCHEME.idPath;
  const typePath = given.typePath ?? DEFAULT_HMAC_SCHEME.typePath;
  return {
    signatureHeader: given.signatureHeader ?? DEFAULT_HMAC_SCHEME.signatureHeader,
    algorithm: given.algorithm ?? DEFAULT_HMAC_SCHEME.algorithm,
    encoding: given.encoding ?? DEFAULT_HMAC_SCHEME.encoding,
    prefix: given.prefix ?? DEFAULT_HMAC_SCHEME.prefix,
    template,
    ...(timestampHeader !== undefined && { timestampHeader }),
    ...(given.idHeader !== undefined ? { idHeader: given.idHeader } : { idPath }),
    ...(given.typeHeader !== undefined ? { typeHeader: given.typeHeader } : { typePath }),
  };
}

function headerErrors(scheme: HmacScheme) {
  return (['signatureHeader', 'timestampHeader', 'idHeader', 'typeHeader'] as const)
    .filter((field) => scheme[field] !== undefined && !HEADER_NAME.test(scheme[field]))
    .map((field) => wrong(field, 'must be the name of an HTTP header'));
}

function pathErrors(scheme: HmacScheme) {
  return (['idPath', 'typePath'] as const)
    .filter(
      (field) => scheme[field] !== undefined && (scheme[field].length > MAX_TEXT || !JSON_PATH.test(scheme[field])),
    )
    .map((field) => wrong(field, 'must be a path into the JSON body, such as data.id'));
}

function templateErrors({ template, idHeader }: HmacScheme) {
  const placeholders: string[] = template.match(/\{[^}]*\}?/g) ?? [];
  const unknown = placeholders.find((placeholder) => !['{body}', '{timestamp}', '{id}'].includes(placeholder));
  if (template.length > MAX_TEXT) return [wrong('template', `must have at most ${MAX_TEXT} characters`)];
  if (unknown !== undefined) return [wrong('template', `knows {body}, {timestamp} and {id}, not ${unknown}`)];
  if (placeholders.filter((placeholder) => placeholder === '{body}').length !== 1) {
    return [wrong('template', 'must hold {body} exactly once')];
  }
  if (placeholders.includes('{id}') && idHeader === undefined) {
    return [wrong('template', 'uses {id}, which needs an idHeader: the body is not read before it is verified')];
  }
  return [];
}

function wrong(field: keyof HmacScheme, message: string) {
  return { path: `scheme.${field}`, message };
}
