import { Injectable, Module } from '@nestjs/common';
import { setTimeout as delay } from 'node:timers/promises';
import type { EntityManager } from 'typeorm';
import { loadConfig } from '../../src/config/index.js';
import { Money } from '../../src/kernel/money.js';
import { Ledger, LedgerModule, systemAccount, userAccount } from '../../src/modules/ledger/index.js';
import {
  PermanentWebhookError,
  RetryAfterError,
  type WebhookEventMessage as Message,
  WebhookHandler,
} from '../../src/modules/webhooks/index.js';
import { run } from '../../src/run.js';
import type { EffectParameters } from './effect-event.js';

/**
 * The built server with handlers that do what a test needs, to be run as `startServer({ entry })`. Their effect is a
 * row in `effects`, a table without any unique key, so that an effect that happened twice is two rows.
 *
 * What an event does is its type; parameters are in `data.object`.
 */
const parametersOf = (event: Message) =>
  (event.payload['data'] as { object?: EffectParameters } | undefined)?.object ?? {};

/** Whether this attempt is one of those that should go wrong; all of them without `failures`. */
const isToFail = (event: Message) => event.attempt <= (parametersOf(event).failures ?? Infinity);

const isToHang = (event: Message) => event.attempt <= (parametersOf(event).failures ?? 0);

async function record(tx: EntityManager, event: Message, value = parametersOf(event).value): Promise<void> {
  const [row] = await tx.query<{ alone: boolean }[]>(
    'SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0)) AS alone',
    [event.eventId],
  );
  if (!row?.alone) throw new PermanentWebhookError('another worker is running this event right now');
  await tx.query('INSERT INTO effects (event_id, attempt, value, stale, pid) VALUES ($1, $2, $3, $4, $5)', [
    event.eventId,
    event.attempt,
    value ?? null,
    event.stale,
    process.pid,
  ]);
}

@Injectable()
class EffectHandlers {
  constructor(private readonly ledger: Ledger) {}

  /** Brings a cent to the account of the user named in `value`, in US dollars. */
  @WebhookHandler('stripe', 'test.settlement', { posts: true })
  async settle(tx: EntityManager, event: Message) {
    await record(tx, event);
    const [debit, credit] = [systemAccount('external', 'USD'), userAccount(parametersOf(event).value ?? '', 'USD')];
    const reference = `settle:${event.eventId}`;
    const [outcome] = await this.ledger.post(tx, {
      postings: [
        { type: 'transfer', kind: 'CREDIT', debit, credit, amount: Money.of(1n, 'USD'), category: 'test', reference },
      ],
      mode: 'atomic',
      by: { actor: 'webhook:test', requestId: event.id },
    });
    if (!outcome || !('posted' in outcome)) throw new Error('The settlement was refused');
    if (isToHang(event)) await new Promise(() => undefined);
  }

  @WebhookHandler('stripe', 'test.effect')
  async effect(tx: EntityManager, event: Message) {
    await record(tx, event);
    await delay(parametersOf(event).ms ?? 0);
  }

  @WebhookHandler('stripe', 'test.batch', { batch: 20 })
  async batch(tx: EntityManager, events: readonly Message[]) {
    for (const event of events) await record(tx, event, String(events.length));
    if (events.some((event) => parametersOf(event).failures !== undefined)) throw new Error('failing as asked');
  }

  @WebhookHandler('stripe', 'test.fails')
  async fails(tx: EntityManager, event: Message) {
    await record(tx, event);
    await delay(parametersOf(event).ms ?? 0);
    if (isToFail(event)) throw new Error('failing as asked');
  }

  @WebhookHandler('stripe', 'test.permanent')
  async permanent(tx: EntityManager, event: Message) {
    await record(tx, event);
    throw new PermanentWebhookError('never again');
  }

  @WebhookHandler('stripe', 'test.retry_after')
  async retryAfter(tx: EntityManager, event: Message) {
    if (event.attempt === 1) throw new RetryAfterError('come back later', (parametersOf(event).ms ?? 0) / 1000);
    await record(tx, event);
  }

  /** Dies in the middle, its write done and not committed. */
  @WebhookHandler('stripe', 'test.crash')
  async crash(tx: EntityManager, event: Message) {
    await record(tx, event);
    if (isToFail(event)) process.kill(process.pid, 'SIGKILL');
    await delay(0);
  }

  @WebhookHandler('stripe', 'test.hang')
  async hang(tx: EntityManager, event: Message) {
    await record(tx, event);
    const { pid } = parametersOf(event);
    if (pid === undefined ? isToFail(event) : pid === process.pid) await new Promise(() => undefined);
  }

  /** Waits inside PostgreSQL, for longer than any test. */
  @WebhookHandler('stripe', 'test.hang_in_sql')
  async hangInSql(tx: EntityManager, event: Message) {
    await record(tx, event);
    if (parametersOf(event).pid === process.pid) await tx.query('SELECT pg_sleep(60)');
  }

  /** Comes back after its time, unaware that it was given up, and writes. */
  @WebhookHandler('stripe', 'test.late')
  async late(tx: EntityManager, event: Message) {
    if (isToFail(event)) await delay(parametersOf(event).ms ?? 0);
    await record(tx, event);
  }

  /** Writes and writes, so that the next write is on its way whenever its transaction is taken from it. */
  @WebhookHandler('stripe', 'test.busy')
  async busy(tx: EntityManager, event: Message) {
    do await record(tx, event);
    while (isToFail(event));
  }

  /** Never comes back, in a nested transaction of its own. */
  @WebhookHandler('stripe', 'test.savepoint_hang')
  async savepointHang(tx: EntityManager, event: Message) {
    await tx.transaction(async (nested) => {
      await record(nested, event);
      await new Promise(() => undefined);
    });
  }

  /** A statement that fails with values in its hand. */
  @WebhookHandler('stripe', 'test.bad_sql')
  async badSql(tx: EntityManager, event: Message) {
    await tx.query('SELECT 1 / (length($1::text) * 0)', [parametersOf(event).value]);
  }

  /** Reads what it then changes: two at once cannot both be right, and SERIALIZABLE makes one of them run again. */
  @WebhookHandler('stripe', 'test.counter')
  async counter(tx: EntityManager, _event: Message) {
    const [row] = await tx.query<{ value: number }[]>('SELECT value FROM counters WHERE name = $1', ['total']);
    await delay(2);
    await tx.query('UPDATE counters SET value = $2 WHERE name = $1', ['total', (row?.value ?? 0) + 1]);
  }

  /** Sets a state; must not be undone by what happened earlier. */
  @WebhookHandler('stripe', 'test.state', { whenStale: 'skip' })
  async state(tx: EntityManager, event: Message) {
    await record(tx, event);
    await delay(parametersOf(event).ms ?? 0);
  }

  /** The state of a ticket, of a sender whose events are named by their content alone. */
  @WebhookHandler('gorgias', 'ticket-updated')
  async ticket(tx: EntityManager, event: Message) {
    const { status } = event.payload['ticket'] as { status: string };
    await record(tx, event, status);
  }

  @WebhookHandler('stripe', 'test.glob.*', { order: 2 })
  async second(tx: EntityManager, event: Message) {
    await record(tx, event, 'second');
  }

  @WebhookHandler('stripe', 'test.glob.one', { order: 1 })
  async first(tx: EntityManager, event: Message) {
    await record(tx, event, 'first');
  }

  @WebhookHandler('stripe', 'test.pair', { order: 2 })
  async pairFails(tx: EntityManager, event: Message) {
    await record(tx, event, 'second');
    if (isToFail(event)) throw new Error('the second of two fails');
  }

  @WebhookHandler('stripe', 'test.pair', { order: 1 })
  async pairWrites(tx: EntityManager, event: Message) {
    await record(tx, event, 'first');
  }
}

@Module({ imports: [LedgerModule], providers: [EffectHandlers] })
class EffectModule {}

await run(() => loadConfig(process.env), [EffectModule]);
