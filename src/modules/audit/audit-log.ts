import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { type AuditLine, LINE_LIMITS } from './audit-line.js';
import { auditDetails } from './redact-details.js';
import { storableText } from './storable-text.js';

/**
 * Writes audit lines in the transaction of what they record: either both are there or neither is. A line is born
 * unsealed and chained within a second or so by `AuditSealer`, so that recording is one plain insert.
 *
 * A module that writes lines inside a larger statement of its own inserts
 * `audit_log (actor, action, subject, request_id, ip, details)` (every other column fills itself), with `details` made
 * by `auditDetails` and every text without NUL.
 */
@Injectable()
export class AuditLog {
  /**
   * Records lines. What PostgreSQL would refuse in a text is replaced, so that a line never fails its transaction.
   *
   * @throws Error when `tx` is not inside a transaction
   */
  async record(tx: EntityManager, lines: readonly AuditLine[]): Promise<void> {
    if (!tx.queryRunner?.isTransactionActive) throw new Error('Audit lines are written inside a transaction only');
    if (lines.length === 0) return;
    await tx.query(
      `INSERT INTO audit_log (actor, action, subject, request_id, ip, details)
       SELECT line.actor, line.action, line.subject, line.request_id, line.ip, line.details::jsonb
       FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
         AS line (actor, action, subject, request_id, ip, details)`,
      [
        lines.map(({ actor }) => storableText(actor, LINE_LIMITS.actor)),
        lines.map(({ action }) => storableText(action, LINE_LIMITS.action)),
        lines.map(({ subject }) => textOrNull(subject, LINE_LIMITS.subject)),
        lines.map(({ requestId }) => textOrNull(requestId, LINE_LIMITS.requestId)),
        lines.map(({ ip }) => textOrNull(ip, LINE_LIMITS.ip)),
        lines.map(({ details }) => auditDetails(details ?? {})),
      ],
    );
  }
}

function textOrNull(text: string | undefined, maxLength: number): string | null {
  return text === undefined ? null : storableText(text, maxLength);
}
