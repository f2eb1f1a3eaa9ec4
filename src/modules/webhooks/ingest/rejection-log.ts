import { Injectable, Logger } from '@nestjs/common';
import { createHash } from 'node:crypto';
import type { AppError } from '../../../kernel/app-error.js';
import { type Coalescer, CoalescerFactory } from '../../../platform/coalescer/index.js';
import { Transactor } from '../../../platform/transaction/index.js';
import { AuditLog, type NewAuditLine } from '../../audit/index.js';
import type { WebhookRequest } from './webhook-request.js';

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
        await transactor.run((tx) => audit.record(tx, lines), { isolation: 'READ COMMITTED' });
        return lines.map(() => ({ result: undefined }));
      },
    });
  }

  record(source: string, error: AppError, request: WebhookRequest, body: Buffer): void {
    const line: NewAuditLine = {
      actor: `webhook:${source}`,
      action: 'webhook.rejected',
      subject: `webhook-source:${source}`,
      requestId: request.id,
      ip: request.ip,
      details: {
        code: error.code,
        bytes: body.length,
        sha256: createHash('sha256').update(body).digest('hex'),
        ...('reason' in error && { reason: error.reason }),
      },
    };
    this.logger.warn({ msg: 'Webhook refused', source, code: error.code, ip: request.ip, requestId: request.id });
    this.coalescer.submit(line).catch((failure: Error) => this.logger.error(`Audit line lost: ${failure.message}`));
  }
}
