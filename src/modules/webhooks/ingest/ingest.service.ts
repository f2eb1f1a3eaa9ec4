import { Inject, Injectable, Logger } from '@nestjs/common';
import { hash } from 'node:crypto';
import { isIP } from 'node:net';
import { CONFIG, type Config } from '../../../config/index.js';
import { isJsonObject, isNestedTooDeeply, type JsonObject, parseExactJson } from '../../../kernel/exact-json.js';
import { newId } from '../../../kernel/ids.js';
import { MAX_NESTING } from '../../../kernel/json-shape.js';
import { PROCESS_NAME } from '../../../kernel/process-name.js';
import { type Coalescer, CoalescerFactory } from '../../../platform/coalescer/index.js';
import { isDataError } from '../../../platform/database/index.js';
import { HandlerRegistry } from '../processing/handler-registry.js';
import { InlineProcessor } from './inline-processor.js';
import { WebhookWorker } from '../processing/webhook-worker.js';
import { webhookProvider } from '../providers/provider-registry.js';
import type { VerifiedSignature } from '../providers/webhook-provider.js';
import type { ActiveSource } from '../sources/source-directory.js';
import { WebhookMetrics } from '../webhook-metrics.js';
import type { WebhookAcceptedDto } from './webhook-accepted.dto.js';
import { WebhookContentTypeError } from './ingest.errors.js';
import type { ReceivedWebhook, Reception } from './received-webhook.js';
import { storedHeaders } from './stored-headers.js';
import { payloadStorage } from '../events/payload-storage.js';
import { isReadable, webhookJson, WebhookPayloadError } from '../events/webhook-body.js';
import { WebhookEventWriter } from './webhook-event.writer.js';
import { rawBody, type WebhookRequest } from './webhook-request.js';

/** Batches beyond this gain nothing; the arrays they bind stay within a few MiB. */
const MAX_BATCH = 500;
/** The database takes 85 µs an event in such a batch, and still 80 in one of twice the size. */
const EAGER_BATCH = 32;
/** At 10,000 a second this is one second's worth: later is better answered 503 than kept waiting. */
const MAX_QUEUED = 10_000;
/** The bodies of a batch travel as one value, and once more as its copy on the way to the socket. */
const MAX_BATCH_BYTES = 16 * 1024 * 1024;
const MAX_QUEUED_BYTES = 128 * 1024 * 1024;
const MAX_USER_AGENT = 512;

/** Takes a verified webhook in: names it, stores it once, and only then says so. */
@Injectable()
export class IngestService {
  private readonly logger = new Logger(IngestService.name);
  private readonly coalescer: Coalescer<ReceivedWebhook, Reception>;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly registry: HandlerRegistry,
    private readonly worker: WebhookWorker,
    private readonly inline: InlineProcessor,
    private readonly metrics: WebhookMetrics,
    writer: WebhookEventWriter,
    coalescers: CoalescerFactory,
  ) {
    this.coalescer = coalescers.create({
      name: 'webhook_ingest',
      maxItems: MAX_BATCH,
      maxQueued: MAX_QUEUED,
      concurrency: 2,
      eagerItems: EAGER_BATCH,
      splitOn: isDataError,
      weigh: ({ rawBody: { length } }) => length,
      maxBatchWeight: MAX_BATCH_BYTES,
      maxQueuedWeight: MAX_QUEUED_BYTES,
      flush: (webhooks) => writer.store(webhooks, PROCESS_NAME),
    });
  }

  /**
   * @returns once the event is committed (and, for an inline source, processed)
   * @throws WebhookContentTypeError (415), WebhookPayloadError (400), WebhookEventIdentityError (400): at once, nothing stored
   * @throws CoalescerFullError (503), or the database's error (503): perhaps stored; the sender's retry finds out
   * @throws WebhookTimeoutError (504): stored, will be processed again
   */
  accept(source: ActiveSource, signature: VerifiedSignature, request: WebhookRequest): Promise<WebhookAcceptedDto> {
    const webhook = this.read(source, signature, request);
    const answered = this.storeAndAnswer(webhook);
    return webhook.claimId === null ? answered : answered.finally(() => this.inline.leave());
  }

  private async storeAndAnswer(webhook: ReceivedWebhook): Promise<WebhookAcceptedDto> {
    const reception = await this.coalescer.submit(webhook);
    const { eventId = webhook.eventId } = reception;
    this.metrics.accepted(webhook.source, reception.kind);
    if (reception.kind !== 'stored') return this.repeated(webhook, reception, eventId);
    if (webhook.claimId !== null) {
      const result = await this.inline.run(webhook.id, webhook.claimId);
      return answer(result === 'PROCESSED' ? 'processed' : 'accepted', webhook.id, eventId);
    }
    if (webhook.status === 'PENDING') this.worker.ring();
    return answer('accepted', webhook.id, eventId);
  }

  private read(source: ActiveSource, signature: VerifiedSignature, request: WebhookRequest): ReceivedWebhook {
    const provider = webhookProvider(source.provider);
    const body = rawBody(request);
    const contentType = request.headers['content-type'];
    if (!isReadable(contentType, source.provider === 'github')) throw new WebhookContentTypeError(contentType ?? '');
    const json = webhookJson(body, contentType);
    const payload = parseObject(json);
    const payloadHash = hash('sha256', provider.comparableBody(body));
    const { topic } = request.params;
    const { headers } = request;
    const identity = provider.identify(
      { headers, rawHeaders: request.raw.rawHeaders, rawBody: body, topic },
      payload,
      payloadHash,
      source.scheme ?? undefined,
      source,
    );
    const { eventId, eventType } = identity;
    const handled = this.registry.find(source.name, source.provider, eventType).length > 0;
    const orderingKey = source.ordering === 'entity' ? (identity.orderingKey ?? null) : null;
    // An ordered event may have to wait for its predecessors: it is answered once stored, whatever the source says.
    const inline = handled && source.processing === 'inline' && orderingKey === null && this.inline.enter();
    return {
      id: newId(),
      source: source.name,
      provider: source.provider,
      eventId,
      eventType,
      rawBody: body,
      payloadStorage: payloadStorage(body, json, contentType),
      metadata: JSON.stringify({
        headers: storedHeaders(headers, source.scheme?.signatureHeader),
        ...(topic !== undefined && { topic }),
        ...(signature.signedAt !== undefined && { signedAt: signature.signedAt * 1000 }),
        ...(identity.causeId !== undefined && { causeId: identity.causeId }),
      }),
      payloadHash,
      orderingKey,
      occurredAt: identity.occurredAt === undefined ? null : new Date(identity.occurredAt).toISOString(),
      ip: storableAddress(request.ip),
      userAgent: headers['user-agent']?.slice(0, MAX_USER_AGENT) ?? null,
      secretId: signature.secretId,
      maxRetries: source.maxRetries ?? this.config.WEBHOOK_MAX_RETRIES,
      requestId: request.id,
      status: inline ? 'PROCESSING' : handled ? 'PENDING' : 'IGNORED',
      claimId: inline ? newId() : null,
      memorySeconds: identity.memorySeconds,
      sender: identity.sender,
    };
  }

  private repeated(webhook: ReceivedWebhook, { kind, id }: Reception, eventId: string): WebhookAcceptedDto {
    if (kind === 'conflict') {
      this.logger.error({
        msg: 'A different body arrived under the id of a stored event; it is kept for review and not processed',
        source: webhook.source,
        eventId,
        id,
        requestId: webhook.requestId,
      });
    }
    return answer('already_processed', id, eventId);
  }
}

function answer(status: WebhookAcceptedDto['status'], id: string, eventId: string): WebhookAcceptedDto {
  return { received: true, status, id, eventId };
}

/** Behind a trusted proxy the address is what the proxy wrote; `inet` takes addresses only, and none with a zone. */
function storableAddress(ip: string): string | null {
  return isIP(ip) !== 0 && !ip.includes('%') ? ip : null;
}

function parseObject(json: string): JsonObject {
  if (isNestedTooDeeply(json)) {
    throw new WebhookPayloadError(`The signature is right, but the body is nested deeper than ${MAX_NESTING} levels.`);
  }
  let payload;
  try {
    payload = parseExactJson(json);
  } catch {
    throw new WebhookPayloadError('The signature is right, but the body is not valid JSON.');
  }
  if (!isJsonObject(payload)) {
    throw new WebhookPayloadError('The signature is right, but the body is not a JSON object.');
  }
  return payload;
}
