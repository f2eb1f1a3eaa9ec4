import type { KnownClaim } from './claim.js';

/**
 * One probe a claim: LIMIT keeps PostgreSQL from reading the whole table instead, which it would choose while its
 * statistics still say that the table is small. Index: idempotency_records_pkey.
 *
 * Who finds an attempt at work is told to wait as long again as it has been working, so that work of milliseconds costs
 * a second and long work few questions; and never beyond its lock, with whose end the next request takes over. An attempt
 * began $3 hours before its record expires.
 */
export const FIND = `
  SELECT
    claim.position::integer, encode(record.fingerprint, 'hex') AS fingerprint, record.status,
    record.content_type AS "contentType", record.body, record.created_at AS "createdAt",
    record.expires_at AS "expiresAt",
    ceil(extract(epoch FROM least(
      clock_timestamp() - (record.expires_at - $3 * interval '1 hour'),
      record.locked_until - clock_timestamp()
    )))::integer AS "waitSeconds"
  FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS claim (scope, key, position)
  CROSS JOIN LATERAL (
    SELECT *
    FROM idempotency_records AS stored
    WHERE stored.scope = claim.scope AND stored.key = claim.key
    LIMIT 1
  ) AS record
  WHERE record.expires_at > now() OR record.locked_until > clock_timestamp()`;

/** Status, content type and body are set together or not at all. */
export interface FoundRow {
  /** From 1. */
  position: number;
  fingerprint: string;
  status: number | null;
  contentType: string | null;
  body: string | null;
  createdAt: Date;
  expiresAt: Date;
  /** Below 1 when the attempt has just begun, or its lock has ended. */
  waitSeconds: number;
}

export function knownClaim(row: FoundRow): KnownClaim {
  const { fingerprint, status, contentType, body, createdAt, expiresAt, waitSeconds } = row;
  if (status === null || contentType === null || body === null) {
    return { state: 'in_flight', fingerprint, retryAfter: Math.max(1, waitSeconds) };
  }
  return { state: 'completed', fingerprint, answer: { status, contentType, body, createdAt, expiresAt } };
}
