import { isAscii } from 'node:buffer';
import { isStorableAsJsonb } from '../../../kernel/exact-json.js';
import { isForm } from './webhook-body.js';

/**
 * Where the column `raw_payload` of an event comes from: `computed` from the bytes when it is read, a `copied` jsonb beside
 * them, or `none`, because the body is no JSON or jsonb cannot hold it.
 */
export type PayloadStorage = 'computed' | 'copied' | 'none';

/**
 * Nothing asks PostgreSQL again whether it can read a body that is `computed`: one wrongly called so fails each
 * `SELECT *` that meets it.
 *
 * @param json of the body, parsed without an error
 * @param contentType of the request
 */
export function payloadStorage(rawBody: Buffer, json: string, contentType: string | undefined): PayloadStorage {
  // A form's JSON is one of its fields, which jsonb cannot find in the bytes.
  if (isForm(contentType) || !isStorableAsJsonb(json)) return 'none';
  return isAscii(rawBody) ? 'computed' : 'copied';
}
