import { Injectable, Module } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { loadConfig } from '../../src/config/index.js';
import { type WebhookEventMessage as Message, WebhookHandler } from '../../src/modules/webhooks/index.js';
import { run } from '../../src/run.js';

/** The built server with a handler that writes one row an event, and one that writes those of a batch at once. */
@Injectable()
class BenchHandlers {
  @WebhookHandler('stripe', 'bench.one')
  async one(tx: EntityManager, { eventId }: Message): Promise<void> {
    await tx.query('INSERT INTO bench_effects (event_id) VALUES ($1)', [eventId]);
  }

  @WebhookHandler('stripe', 'bench.batch', { batch: 100 })
  async batch(tx: EntityManager, events: readonly Message[]): Promise<void> {
    await tx.query('INSERT INTO bench_effects (event_id) SELECT unnest($1::text[])', [
      events.map(({ eventId }) => eventId),
    ]);
  }
}

@Module({ providers: [BenchHandlers] })
class BenchModule {}

await run(() => loadConfig(process.env), [BenchModule]);
