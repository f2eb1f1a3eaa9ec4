import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { AuditLog } from '../../audit/index.js';

export interface DeadLetter {
  id: string;
  source: string;
  /** The provider's. */
  eventId: string;
  /** Attempts in all. */
  attempts: number;
  error: string | null;
}

/** Every way into the dead letters leaves the same audit line and the same line in the log, which alerts hang on. */
@Injectable()
export class DeadLetters {
  private readonly logger = new Logger(DeadLetters.name);

  constructor(private readonly audit: AuditLog) {}

  /** In the transaction that makes them dead letters. */
  async record(tx: EntityManager, letters: readonly DeadLetter[]): Promise<void> {
    await this.audit.record(
      tx,
      letters.map(({ id, ...details }) => ({
        actor: 'system:webhooks',
        action: 'webhook.dead_lettered',
        subject: `webhook-event:${id}`,
        details,
      })),
    );
  }

  /** Once that transaction has committed. */
  announce(letter: DeadLetter): void {
    this.logger.error({ msg: 'Webhook event moved to the dead letters', ...letter });
  }
}
