import { Reflector } from '@nestjs/core';

export interface WebhookHandlerOptions {
  /** Of several handlers for one event the lowest runs first; equal ones by class name. Default 0. */
  order?: number;
  /**
   * For handlers that set a state rather than add to one: `skip` leaves out an event older than one of the same entity
   * that was already processed (needs a source with `ordering: "entity"`). Default `run`.
   */
  whenStale?: 'run' | 'skip';
  /** Events that the method takes at once, at most: it is called with a list of them. 2 to 1,000. */
  batch?: number;
  /**
   * The method posts to the ledger: its transaction takes the ledger's lock when it begins and not in the middle, where rivals
   * would make it run again. Everybody else who posts waits until it ends, so it gets 5 s at most. Default false.
   */
  posts?: boolean;
}

const MAX_BATCH = 1000;

export interface HandlerMetadata extends Omit<Required<WebhookHandlerOptions>, 'batch'> {
  /** A source's name, or a provider's name for all its sources. */
  source: string;
  /** An event type; `*` stands for any run of characters. */
  type: string;
  /** Undefined where the method takes one event. */
  batch: number | undefined;
}

/** What `@WebhookHandler` says of a method. */
export const WEBHOOK_HANDLER = Reflector.createDecorator<HandlerMetadata>();

/**
 * Registers a method of an injectable class for events: `async handle(tx: EntityManager, event: WebhookEventMessage)`.
 * What it writes through `tx` commits together with the record that the event is done, once, or not at all. It may run more
 * than once (retries, serialization failures), so effects outside `tx` belong into an outbox row.
 *
 * With `batch`, `async handle(tx: EntityManager, events: readonly WebhookEventMessage[])`: one or more events, which are all
 * done with what it writes, or none.
 *
 * See `examples/record-payment.handler.ts`.
 *
 * @throws RangeError for a batch of another size
 */
export function WebhookHandler(source: string, type: string, options: WebhookHandlerOptions = {}): MethodDecorator {
  const { order = 0, whenStale = 'run', batch, posts = false } = options;
  if (batch !== undefined && !(Number.isInteger(batch) && batch >= 2 && batch <= MAX_BATCH)) {
    throw new RangeError(
      `@WebhookHandler('${source}', '${type}'): batch is ${batch}, and must be from 2 to ${MAX_BATCH}`,
    );
  }
  return WEBHOOK_HANDLER({ source, type, order, whenStale, batch, posts });
}
