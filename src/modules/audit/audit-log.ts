import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { prepared, runnerOf, runPrepared } from '../../platform/database/index.js';
import { redactDetails } from './redaction/redact-details.js';
import { storableText } from './redaction/storable-text.js';

/** One thing that happened, as the code that did it tells it. */
export interface NewAuditLine {
  /** Who did it: `api-key:<id>`, `cli:<user>`, `webhook:<source>`, `system`, or a part of it such as `system:webhooks`. */
  actor: string;
  /** What was done, `<noun>.<past participle>`: `webhook.rejected`, `api_key.created`. */
  action: string;
  /** What it was done to, `<kind>:<id>`: everything about one thing is found by it. */
  subject?: string | undefined;
  /** The `X-Request-Id` of the request that caused it. */
  requestId?: string | undefined;
  /** The caller's address, as text: an odd one must not fail what the line records. */
  ip?: string | undefined;
  /** A few plain facts. Secrets are redacted, long values cut (see `redactDetails`). */
  details?: Readonly<Record<string, unknown>> | undefined;
  /**
   * Instead of `details`, a JSON object as text, stored as it is: for lines that list hundreds of things, which redaction
   * would cut and take longer for than the database. Ids, owners, amounts and fixed words only: nothing is redacted in it.
   */
  document?: string | undefined;
}

/** Characters; longer values are cut. */
const LIMITS = { actor: 255, action: 100, subject: 255, requestId: 128, ip: 45 } as const;

const INSERT = prepared(
  'audit_insert_lines',
  `
  INSERT INTO audit_log (actor, action, subject, request_id, ip, details)
  SELECT line.actor, line.action, line.subject, line.request_id, line.ip, line.details::jsonb
  FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
    AS line (actor, action, subject, request_id, ip, details)`,
);

/**
 * Writes audit lines in the transaction of what they record: either both are there or neither is. A line is born
 * unsealed and chained within a second or so by `AuditSealer`, so that recording is one plain insert.
 *
 * Only webhook ingest does without: it stores events and their lines in one statement, whose details are fixed and hold
 * no secret.
 */
@Injectable()
export class AuditLog {
  /**
   * Records lines. What PostgreSQL would refuse in a text is replaced, so that a line never fails its transaction.
   *
   * @throws TypeError when `tx` is not inside a transaction
   */
  async record(tx: EntityManager, lines: readonly NewAuditLine[]): Promise<void> {
    const runner = runnerOf(tx);
    if (lines.length === 0) return;
    await runPrepared(runner, INSERT, [
      lines.map(({ actor }) => storableText(actor, LIMITS.actor)),
      lines.map(({ action }) => storableText(action, LIMITS.action)),
      lines.map(({ subject }) => textOrNull(subject, LIMITS.subject)),
      lines.map(({ requestId }) => textOrNull(requestId, LIMITS.requestId)),
      lines.map(({ ip }) => textOrNull(ip, LIMITS.ip)),
      lines.map(({ details, document }) => document ?? redactDetails(details ?? {})),
    ]);
  }
}

function textOrNull(text: string | undefined, maxLength: number): string | null {
  return text === undefined ? null : storableText(text, maxLength);
}
