import { Reflector } from '@nestjs/core';

export interface WebhookHandlerOptions {
  /** Of several handlers for one event the lowest runs first; equal ones by class name. Default 0. */
  order?: number;
  /**
   * For handlers that set a state rather than add to one: `skip` leaves out an event older than one of the same entity
   * that was already processed (needs a source with `ordering: "entity"`). Default `run`.
   */
  whenStale?: 'run' | 'skip';
}

export interface HandlerMetadata extends Required<WebhookHandlerOptions> {
  /** A source's name, or a provider's name for all its sources. */
  source: string;
  /** An event type; `*` stands for any run of characters. */
  type: string;
}

/** What `@WebhookHandler` says of a method. */
export const WEBHOOK_HANDLER = Reflector.createDecorator<HandlerMetadata>();

/**
 * Registers a method of an injectable class for events: `async handle(tx: EntityManager, event: WebhookEventMessage)`.
 * What it writes through `tx` commits together with the event's PROCESSED mark, once, or not at all. It may run more
 * than once (retries, serialization failures), so effects outside `tx` belong into an outbox row.
 *
 * See `examples/record-payment.handler.ts`.
 */
export function WebhookHandler(source: string, type: string, options: WebhookHandlerOptions = {}): MethodDecorator {
  return WEBHOOK_HANDLER({ source, type, order: options.order ?? 0, whenStale: options.whenStale ?? 'run' });
}
