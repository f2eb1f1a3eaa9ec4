import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditLog } from '../../audit/index.js';
import { WebhookHandler } from '../processing/webhook-handler.decorator.js';
import type { WebhookEventMessage } from '../processing/webhook-event-message.js';

/**
 * GitHub sends `ping` once when a webhook is set up. Recorded, it is the proof that the secret, the URL and the way
 * through the proxies are right. https://docs.github.com/en/webhooks/webhook-events-and-payloads#ping
 */
@Injectable()
export class GithubPingHandler {
  constructor(private readonly audit: AuditLog) {}

  @WebhookHandler('github', 'ping')
  async connected(tx: EntityManager, event: WebhookEventMessage): Promise<void> {
    await this.audit.record(tx, [
      {
        actor: `webhook:${event.source}`,
        action: 'webhook_source.connected',
        subject: `webhook-source:${event.source}`,
        details: { hookId: event.payload['hook_id'] ?? null },
      },
    ]);
  }
}
