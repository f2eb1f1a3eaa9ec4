import { isAscii } from 'node:buffer';
import { isStorableAsJsonb } from '../../../kernel/exact-json.js';
import { isForm } from './webhook-body.js';

/**
 * Where the column `raw_payload` of an event comes from: `computed` from the bytes when it is read, a `copied` jsonb beside
 * them, or nowhere, for what jsonb `refused`.
 */
export type PayloadForm = 'computed' | 'copied' | 'refused';

/**
 * Nothing asks PostgreSQL again whether it can read a body that is `computed`: one wrongly called so fails each
 * `SELECT *` that meets it.
 *
 * @param json of the body, parsed without an error
 */
export function payloadForm(rawBody: Buffer, json: string, contentType: string | undefined): PayloadForm {
  // A form's JSON is one of its fields, which jsonb cannot find in the bytes.
  if (isForm(contentType) || !isStorableAsJsonb(json)) return 'refused';
  return isAscii(rawBody) ? 'computed' : 'copied';
}
