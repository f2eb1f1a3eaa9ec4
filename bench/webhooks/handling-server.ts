import { Injectable, Module } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import type * as Configuration from '../../src/config/index.js';
import type * as Webhooks from '../../src/modules/webhooks/index.js';
import type * as Run from '../../src/run.js';

/** The built server with a handler that writes one row an event, and one that writes those of a batch at once. */
const dist = (path: string) => import(new URL(`../../dist/src/${path}`, import.meta.url).href) as Promise<unknown>;
const { WebhookHandler } = (await dist('modules/webhooks/index.js')) as typeof Webhooks;
const { loadConfig } = (await dist('config/index.js')) as typeof Configuration;
const { run } = (await dist('run.js')) as typeof Run;

type Message = Webhooks.WebhookEventMessage;

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
