import { createHash } from 'node:crypto';
import { canonicalJson } from '../../kernel/canonical-json.js';
import { rfc3339 } from './rfc3339.js';

/** What stands before the first line. */
export const GENESIS_HASH: Buffer = Buffer.alloc(32);

/** Everything of a line that its hash fixes, each column as the text PostgreSQL gives for `LINE_CONTENT`. */
export interface LineContent {
  id: string;
  at: string;
  actor: string;
  action: string;
  subject: string | null;
  request_id: string | null;
  ip: string | null;
  details: string;
}

/** The columns of `LineContent`, for a table alias `l`. The sealer and the verifier both read exactly this. */
export const LINE_CONTENT = `
  l.id::text AS id, ${rfc3339('l.at')} AS at,
  l.actor, l.action, l.subject, l.request_id, l.ip, l.details::text AS details`;

/**
 * SHA-256 over the previous line's hash (32 bytes) and the canonical JSON (RFC 8785) of the line, so that no two
 * different lines share an encoding and no line can be changed, moved or left out without breaking the next one.
 *
 * `details` goes in as the text of the jsonb, not parsed: PostgreSQL's text form depends on the stored value alone
 * (members in its own fixed order, numbers with every digit) and survives dump and restore, where a JavaScript number
 * would lose digits beyond 2^53.
 *
 * @param sequence the line's place in the chain, from 1
 */
export function lineHash(prevHash: Buffer, sequence: number, line: LineContent): Buffer {
  const { id, at, actor, action, subject, request_id: requestId, ip, details } = line;
  return createHash('sha256')
    .update(prevHash)
    .update(canonicalJson({ v: 1, sequence, id, at, actor, action, subject, requestId, ip, details }))
    .digest();
}
