import type { JsonObject } from '../../../kernel/exact-json.js';

/** What a handler is given: the verified event, parsed from the exact bytes that were signed. */
export interface WebhookEventMessage {
  /** Ours, stable over retries and replays. */
  readonly id: string;
  readonly source: string;
  /** The provider's id. */
  readonly eventId: string;
  readonly eventType: string;
  /** Integers beyond 2^53 are `bigint`. */
  readonly payload: JsonObject;
  readonly rawBody: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  readonly receivedAt: Date;
  readonly occurredAt: Date | null;
  /** 1 for the first. */
  readonly attempt: number;
  /** True when an event of the same entity that happened later has been processed (ordered sources only). */
  readonly stale: boolean;
  /**
   * Aborted when the processing time is up (a second while the event shares its transaction; then it runs again); pass it to
   * whatever can be aborted.
   */
  readonly signal: AbortSignal;
}
