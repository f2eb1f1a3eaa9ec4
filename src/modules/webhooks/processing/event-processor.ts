import { Inject, Injectable, Logger } from '@nestjs/common';
import { inspect } from 'node:util';
import type { EntityManager } from 'typeorm';
import { CONFIG, type Config } from '../../../config/index.js';
import { type JsonObject, parseExactJson } from '../../../kernel/exact-json.js';
import { settledWithin } from '../../../platform/lease/index.js';
import { Transactor } from '../../../platform/transaction/index.js';
import { WebhookMetrics } from '../webhook-metrics.js';
import { webhookJson } from '../events/webhook-body.js';
import { ClaimsInFlight } from './claims-in-flight.js';
import { type Attempt, type ClaimedEvent, ClaimsRepository } from './claims.repository.js';
import { DeadLetters } from './dead-letters.js';
import { ClaimLostError, HandedBackError, ProcessingTimeoutError } from './handler.errors.js';
import { HandlerRegistry, type RegisteredHandler } from './handler-registry.js';
import { verdictOn } from './verdict.js';
import type { WebhookEventMessage } from './webhook-event-message.js';

/** LOST: another worker has it by now; RELEASED: given back because this process ends. */
export type ProcessingResult = 'PROCESSED' | 'IGNORED' | 'FAILED' | 'DEAD_LETTER' | 'LOST' | 'RELEASED';

const MAX_ERROR_LENGTH = 2000;

/**
 * Runs the handlers of one claimed event. Their writes, the PROCESSED mark and the attempt commit together,
 * SERIALIZABLE, and only while the claim is still ours: that is the whole of exactly-once.
 */
@Injectable()
export class EventProcessor {
  private readonly logger = new Logger(EventProcessor.name);

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly registry: HandlerRegistry,
    private readonly claims: ClaimsRepository,
    private readonly inFlight: ClaimsInFlight,
    private readonly transactor: Transactor,
    private readonly deadLetters: DeadLetters,
    private readonly metrics: WebhookMetrics,
  ) {}

  /** Never throws: what goes wrong with the event is recorded with it. */
  async process(event: ClaimedEvent): Promise<ProcessingResult> {
    const started = performance.now();
    const elapsed = () => Math.round(performance.now() - started);
    const controller = this.inFlight.hold(event);
    let result: ProcessingResult;
    try {
      result = await this.attempt(event, controller, elapsed);
    } catch (error) {
      result = await this.recordFailure(event, error, elapsed());
    } finally {
      this.inFlight.drop(event);
    }
    this.metrics.finished(event.source, result, elapsed() / 1000);
    return result;
  }

  private async attempt(
    event: ClaimedEvent,
    controller: AbortController,
    elapsed: () => number,
  ): Promise<ProcessingResult> {
    const handlers = this.registry.find(event.source, event.provider, event.eventType);
    const status = handlers.length === 0 ? 'IGNORED' : 'PROCESSED';
    const message = toMessage(event, await this.claims.isStale(event), controller.signal);
    const timeoutMs = this.config.WEBHOOK_PROCESSING_TIMEOUT_MS;
    const onTimeout = () => new ProcessingTimeoutError(timeoutMs);
    for (let found: ClaimedEvent | undefined = event; found; found = await this.claims.locate(event)) {
      const inPlace = found;
      const completed = await this.transactor.run(async (tx) => {
        if (!(await this.claims.begin(tx, inPlace))) return false;
        // They lose their transaction when the time is up or the claim is lost, even if they never return.
        await settledWithin(timeoutMs, controller, onTimeout, () => runHandlers(tx, message, handlers));
        if (!(await this.claims.complete(tx, inPlace, status, elapsed()))) throw new ClaimLostError(event.id);
        return true;
      });
      if (completed) return status;
    }
    throw new ClaimLostError(event.id);
  }

  private async recordFailure(event: ClaimedEvent, error: unknown, durationMs: number): Promise<ProcessingResult> {
    if (error instanceof ClaimLostError) {
      this.logger.warn({ msg: error.message, id: event.id });
      return 'LOST';
    }
    if (error instanceof HandedBackError) return this.release(event);
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
        { isolation: 'READ COMMITTED' },
      );
      if (!recorded) return 'LOST';
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

  private async release(event: ClaimedEvent): Promise<ProcessingResult> {
    try {
      await this.claims.release(event);
    } catch (error) {
      this.logger.warn({ msg: 'An event stays claimed until its lease ends', id: event.id, err: error });
    }
    return 'RELEASED';
  }
}

async function runHandlers(
  tx: EntityManager,
  message: WebhookEventMessage,
  handlers: readonly RegisteredHandler[],
): Promise<void> {
  for (const handler of handlers) {
    if (message.stale && handler.whenStale === 'skip') continue;
    await handler.run(tx, message);
  }
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
