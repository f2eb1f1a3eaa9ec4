import { Inject, Injectable, Logger } from '@nestjs/common';
import { inspect } from 'node:util';
import type { EntityManager } from 'typeorm';
import { CONFIG, type Config } from '../../../config/index.js';
import { type JsonObject, parseExactJson } from '../../../kernel/exact-json.js';
import {
  LEDGER_LOCK,
  READ_COMMITTED,
  Transactor,
  type TransactionOptions,
} from '../../../platform/transaction/index.js';
import { ClaimLostError, HandedBackError, settledWithin } from '../../../platform/work-queue/index.js';
import { WebhookMetrics } from '../webhook-metrics.js';
import { webhookJson } from '../events/webhook-body.js';
import { ClaimsInFlight } from './claims-in-flight.js';
import { type Attempt, type ClaimedEvent, ClaimsRepository } from './claims.repository.js';
import { DeadLetters } from './dead-letters.js';
import { ProcessingTimeoutError } from './handler.errors.js';
import { type EventGroup, EventGroups } from './event-groups.js';
import type { Handlers } from './handler-registry.js';
import { verdictOn } from './verdict.js';
import type { WebhookEventMessage } from './webhook-event-message.js';

/** LOST: another worker has it by now; RELEASED: given back because this process ends. */
export type ProcessingResult = 'PROCESSED' | 'IGNORED' | 'FAILED' | 'DEAD_LETTER' | 'LOST' | 'RELEASED';

const MAX_ERROR_LENGTH = 2000;

/** Within it a group of events is done, or taken apart. */
const GROUP_TIMEOUT_MS = 1000;

/** Handlers that post keep everybody else from posting. */
const POSTING_TIMEOUT_MS = 5000;

/**
 * Runs the handlers of claimed events. Their writes and the rows of their attempts commit together, SERIALIZABLE, and the key
 * of those rows lets one worker alone commit: that is the whole of exactly-once. The events become PROCESSED after that.
 */
@Injectable()
export class EventProcessor {
  private readonly logger = new Logger(EventProcessor.name);

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly groups: EventGroups,
    private readonly claims: ClaimsRepository,
    private readonly inFlight: ClaimsInFlight,
    private readonly transactor: Transactor,
    private readonly deadLetters: DeadLetters,
    private readonly metrics: WebhookMetrics,
  ) {}

  /** Never throws: what goes wrong with the event is recorded with it. */
  async processOne(event: ClaimedEvent): Promise<ProcessingResult> {
    const started = performance.now();
    const elapsed = () => Math.round(performance.now() - started);
    const group = this.groups.alone(event);
    let result: ProcessingResult;
    try {
      const done = await this.attempt(group, this.config.WEBHOOK_PROCESSING_TIMEOUT_MS);
      result = done.length > 0 ? statusAfter(group) : await this.lost(event);
    } catch (error) {
      this.groups.failed(group);
      result = await this.recordFailure(event, error, elapsed());
    }
    this.finish([event], result, elapsed());
    return result;
  }

  /**
   * Events in one transaction. Never throws: what goes wrong with one of them is recorded with that one, once it stands alone,
   * and the others have lost nothing but time.
   *
   * @returns the halves, each to be processed by itself, if it failed or was not done soon
   */
  async process(group: EventGroup): Promise<readonly EventGroup[]> {
    const { events, handlers } = group;
    const [first, ...others] = events;
    if (first === undefined) return [];
    if (others.length === 0) {
      await this.processOne(first);
      return [];
    }
    const started = performance.now();
    const elapsed = () => performance.now() - started;
    const timeoutMs = Math.min(GROUP_TIMEOUT_MS, this.config.WEBHOOK_PROCESSING_TIMEOUT_MS);
    try {
      // Groups that are in each other's way would be again; one by one they get past each other.
      const done = await this.attempt(group, timeoutMs, { attempts: 1 });
      const lost = events.filter((event) => !done.includes(event));
      for (const event of lost) await this.lost(event);
      this.finish(lost, 'LOST', elapsed());
      this.finish(done, statusAfter(group), elapsed());
      return [];
    } catch (error) {
      if (error instanceof HandedBackError) {
        this.finish(events, await this.release(events), elapsed());
        return [];
      }
      this.groups.failed(group);
      const middle = Math.ceil(events.length / 2);
      return [
        { handlers, events: events.slice(0, middle) },
        { handlers, events: events.slice(middle) },
      ];
    }
  }

  /** @returns the events that were still ours: those are done */
  private async attempt(
    group: EventGroup,
    timeoutMs: number,
    options: TransactionOptions = {},
  ): Promise<readonly ClaimedEvent[]> {
    const posts = group.handlers.some((handler) => handler.posts);
    const boundMs = posts ? Math.min(POSTING_TIMEOUT_MS, timeoutMs) : timeoutMs;
    const controller = this.inFlight.hold(group.events);
    const current = await this.claims.current(group.events);
    const events = group.events.filter(({ id }) => current.has(id));
    if (events.length === 0) return events;
    const messages = events.map((event) => toMessage(event, current.get(event.id)?.stale ?? false, controller.signal));
    const onTimeout = () => new ProcessingTimeoutError(boundMs);
    const ms = await this.transactor.run(
      async (tx) => {
        await this.claims.bound(tx, boundMs, posts ? boundMs : undefined);
        const started = performance.now();
        // They lose their transaction when the time is up or the claim is lost, even if they never return.
        await settledWithin(boundMs, controller, onTimeout, () => runHandlers(tx, messages, group.handlers));
        const took = (performance.now() - started) / events.length;
        await this.claims.record(tx, events, statusAfter(group), Math.round(took));
        return took;
      },
      { ...options, ...(posts && { lockTable: LEDGER_LOCK }) },
    );
    this.groups.succeeded(group, ms);
    await this.settle(events);
    return events;
  }

  /** What is done stays done: if this fails, the sweep does it when the lease ends. */
  private async settle(events: readonly ClaimedEvent[]): Promise<void> {
    try {
      await this.claims.settle(events);
    } catch (error) {
      const ids = events.map(({ id }) => id);
      this.logger.warn({ msg: 'Processed events stay PROCESSING until their lease ends', ids, err: error });
    }
  }

  private finish(events: readonly ClaimedEvent[], result: ProcessingResult, ms: number): void {
    this.inFlight.drop(events);
    for (const { source } of events) this.metrics.finished(source, result, ms / 1000 / events.length);
  }

  private async recordFailure(event: ClaimedEvent, error: unknown, durationMs: number): Promise<ProcessingResult> {
    if (error instanceof ClaimLostError) return this.lost(event);
    if (error instanceof HandedBackError) return this.release([event]);
    const verdict = verdictOn(event, error, this.config.WEBHOOK_RETRY_BASE_MS);
    const attempt: Attempt = {
      outcome: error instanceof ProcessingTimeoutError ? 'timed_out' : 'failed',
      durationMs,
      error: describe(error),
    };
    const { id, source, eventId, eventType } = event;
    const told = { id, source, eventId, attempts: event.attempts + 1, error: attempt.error };
    try {
      const recorded = await this.transactor.run(
        async (tx) => {
          if (!(await this.claims.fail(tx, event, verdict, attempt))) return false;
          if (verdict.status === 'DEAD_LETTER') await this.deadLetters.record(tx, [told]);
          return true;
        },
        // One conditional update decides; there is nothing else to be consistent with.
        READ_COMMITTED,
      );
      if (!recorded) return this.lost(event);
    } catch (recordingError) {
      // Unrecorded, the claim runs out and the sweep gives the event to another attempt.
      this.logger.error({ msg: 'A failed attempt could not be recorded', id, err: recordingError });
      return 'LOST';
    }
    if (verdict.status === 'DEAD_LETTER') this.deadLetters.announce(told);
    else {
      const msg = `Webhook event failed, next attempt in ${verdict.delayMs} ms`;
      this.logger.warn({ msg, ...told, eventType, durationMs, err: error });
    }
    return verdict.status;
  }

  /** To another worker, or to nobody: it may have been our own commit, whose outcome we never learned. */
  private async lost(event: ClaimedEvent): Promise<'LOST'> {
    this.logger.warn({ msg: 'The claim on a webhook event was lost before it was done', id: event.id });
    await this.settle([event]);
    return 'LOST';
  }

  /** Events whose attempt has not begun, as they were. */
  async handBack(events: readonly ClaimedEvent[]): Promise<void> {
    if (events.length === 0) return;
    await this.release(events);
    this.inFlight.drop(events);
  }

  private async release(events: readonly ClaimedEvent[]): Promise<ProcessingResult> {
    // What committed without our learning of it is done, and must not look as if it had never begun.
    await this.settle(events);
    try {
      await this.claims.release(events);
    } catch (error) {
      const ids = events.map(({ id }) => id);
      this.logger.warn({ msg: 'Events stay claimed until their lease ends', ids, err: error });
    }
    return 'RELEASED';
  }
}

function statusAfter({ handlers }: EventGroup): 'PROCESSED' | 'IGNORED' {
  return handlers.length === 0 ? 'IGNORED' : 'PROCESSED';
}

async function runHandlers(
  tx: EntityManager,
  messages: readonly WebhookEventMessage[],
  handlers: Handlers,
): Promise<void> {
  const fresh = messages.filter(({ stale }) => !stale);
  for (const handler of handlers) await handler.run(tx, handler.whenStale === 'skip' ? fresh : messages);
}

function toMessage(event: ClaimedEvent, stale: boolean, signal: AbortSignal): WebhookEventMessage {
  const { id, source, eventId, eventType, rawBody, metadata, receivedAt, occurredAt } = event;
  return {
    id,
    source,
    eventId,
    eventType,
    payload: parseExactJson(webhookJson(rawBody, metadata.headers['content-type'])) as JsonObject,
    rawBody,
    headers: metadata.headers,
    receivedAt,
    occurredAt,
    attempt: event.attempts + 1,
    stale,
    signal,
  };
}

/** For the operator: the message, without NUL (which text columns refuse) and within bounds. */
function describe(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : inspect(error);
  return text.replaceAll('\0', '').toWellFormed().slice(0, MAX_ERROR_LENGTH);
}
