import type { EventSender, ProviderName } from '../providers/webhook-provider.js';
import type { PayloadStorage } from '../events/payload-storage.js';
import type { EventStatus } from '../events/webhook-event.entity.js';

/** A verified, named event on its way into the table. */
export interface ReceivedWebhook {
  id: string;
  source: string;
  provider: ProviderName;
  eventId: string;
  eventType: string;
  rawBody: Buffer;
  payloadStorage: PayloadStorage;
  /** `EventMetadata` as JSON text. */
  metadata: string;
  payloadHash: string;
  orderingKey: string | null;
  /** RFC 3339. */
  occurredAt: string | null;
  ip: string | null;
  userAgent: string | null;
  secretId: string;
  maxRetries: number;
  requestId: string;
  /** PENDING for a worker, IGNORED when nothing listens, PROCESSING when the request itself runs it (inline). */
  status: Extract<EventStatus, 'PENDING' | 'IGNORED' | 'PROCESSING'>;
  /** Set with PROCESSING. */
  claimId: string | null;
  /** See `EventIdentity`. */
  memorySeconds?: number | undefined;
  sender?: EventSender | undefined;
}

/** What became of it. */
export interface Reception {
  /** `duplicate`: the same event had been stored before; `conflict`: with another body, and this one is kept beside it. */
  kind: 'stored' | 'duplicate' | 'conflict';
  /** Of the event that is stored. */
  id: string;
  /** What it is known by; absent: what the webhook came with. */
  eventId?: string;
}
