import { Injectable, Logger } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { type Coalescer, CoalescerFactory } from '../../../platform/coalescer/index.js';
import { READ_COMMITTED, Transactor } from '../../../platform/transaction/index.js';
import { AuditLog, type NewAuditLine } from '../../audit/index.js';
import type { WebhookRequest } from './webhook-request.js';

export interface Refusal {
  code: string;
  /** What was wrong with a signature. */
  reason: unknown;
}

/**
 * Audit lines for refused webhooks. The refusal does not wait for them: an attacker's flood must not hold connections,
 * and what does not fit into the queue is still in the metrics and the log.
 */
@Injectable()
export class RejectionLog {
  private readonly logger = new Logger(RejectionLog.name);
  private readonly coalescer: Coalescer<NewAuditLine, void>;

  constructor(audit: AuditLog, transactor: Transactor, coalescers: CoalescerFactory) {
    this.coalescer = coalescers.create({
      name: 'webhook_rejections',
      maxItems: 500,
      maxQueued: 5000,
      flush: async (lines) => {
        await transactor.run((tx) => audit.record(tx, lines), READ_COMMITTED);
        return lines.map(() => ({ result: undefined }));
      },
    });
  }

  /** @param body undefined when it was not read to its end: then the line tells the length it was said to have */
  record(source: string, { code, reason }: Refusal, request: WebhookRequest, body: Buffer | undefined): void {
    const line: NewAuditLine = {
      actor: `webhook:${source}`,
      action: 'webhook.rejected',
      subject: `webhook-source:${source}`,
      requestId: request.id,
      ip: request.ip,
      details: {
        code,
        ...(body === undefined
          ? { contentLength: request.headers['content-length'] ?? null }
          : { bytes: body.length, sha256: createHash('sha256').update(body).digest('hex') }),
        ...(reason !== undefined && { reason }),
      },
    };
    this.logger.warn({ msg: 'Webhook refused', source, code, ip: request.ip, requestId: request.id });
    this.coalescer.submit(line).catch((failure: Error) => this.logger.error(`Audit line lost: ${failure.message}`));
  }
}
