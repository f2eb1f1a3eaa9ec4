import { Inject, Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { CONFIG, type Config } from '../../../config/index.js';
import { UnavailableError } from '../../../kernel/app-error.js';
import type { Outcome } from '../../../platform/coalescer/index.js';
import { arrayLiteral, plainArrayLiteral, prepared } from '../../../platform/database/index.js';
import { Transactor } from '../../../platform/transaction/index.js';
import { AuditLog } from '../../audit/index.js';
import type { ReceivedWebhook, Reception } from './received-webhook.js';

/**
 * Events, their audit lines and what is due, in one statement and one round trip. ON CONFLICT DO NOTHING waits for a
 * rival that is inserting the same event, so "not stored" means somebody else's copy is committed. The rows go in by
 * event id: two batches that share events then wait for each other in one direction only.
 *
 * The bodies of a batch travel as one value (`$1`), which the driver sends as the bytes they are: as an array of bytea
 * each would be written in hex and parsed again (97 → 83 µs of the database's time an event).
 */
const STORE = prepared(
  'store_webhook_events',
  `
  WITH incoming AS (
    SELECT
      t.*, substr($1::bytea, body_at, body_length) AS raw_body,
      event_id || '_' || event_type AS idempotency_key
    FROM unnest(
      $2::integer[], $3::integer[], $4::uuid[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[],
      $10::text[], $11::jsonb[], $12::text[], $13::text[], $14::timestamptz[], $15::inet[], $16::text[], $17::uuid[],
      $18::integer[], $19::uuid[], $20::text[]
    ) AS t (
      body_at, body_length, id, source, provider, event_id, event_type, status,
      payload_storage, metadata, payload_hash, ordering_key, occurred_at, ip_address, user_agent, secret_id,
      max_retries, claim_id, request_id
    )
  ),
  stored AS (
    INSERT INTO webhook_events (
      id, source, event_id, event_type, idempotency_key, status, raw_body, payload_computed, payload_copy, metadata,
      payload_hash, ordering_key, occurred_at, ip_address, user_agent, secret_id, max_retries,
      claim_id, claimed_by, claimed_at, next_attempt_at, provider
    )
    SELECT
      id, source, event_id, event_type, idempotency_key, status, raw_body, payload_storage = 'computed',
      CASE WHEN payload_storage = 'copied' THEN convert_from(raw_body, 'UTF8')::jsonb END, metadata,
      payload_hash, ordering_key, occurred_at, ip_address, user_agent, secret_id, max_retries,
      claim_id, CASE WHEN claim_id IS NOT NULL THEN $21 END, CASE WHEN claim_id IS NOT NULL THEN now() END,
      CASE status WHEN 'PENDING' THEN now() WHEN 'PROCESSING' THEN now() + $22 * interval '1 millisecond' END,
      provider
    FROM incoming
    ORDER BY event_id, source
    ON CONFLICT DO NOTHING
    RETURNING id
  ),
  audited AS (
    INSERT INTO audit_log (actor, action, subject, request_id, ip, details)
    SELECT
      'webhook:' || source, 'webhook.received', 'webhook-event:' || id, request_id, host(ip_address),
      jsonb_build_object('eventId', event_id, 'eventType', event_type, 'secretId', secret_id, 'sha256', payload_hash)
    FROM incoming
    JOIN stored USING (id)
    ORDER BY id
  )
  SELECT id FROM stored`,
);

/** Index: webhook_events_event_id_source_key. */
const FIND_FIRST = `
  SELECT e.id, e.source, e.event_id, e.payload_hash
  FROM unnest($1::text[], $2::text[]) AS t (source, event_id)
  JOIN webhook_events e USING (source, event_id)`;

/**
 * A body that came before under the same id changes nothing: an attacker with a secret cannot fill the table. The event
 * itself is not touched: a worker may hold its row for as long as its handlers take.
 */
const STORE_CONFLICTS = `
  INSERT INTO webhook_event_conflicts (id, event, payload_hash, raw_body, metadata, ip_address)
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[], $5::jsonb[], $6::inet[])
  ON CONFLICT DO NOTHING`;

interface Repeat {
  webhook: ReceivedWebhook;
  reception: Exclude<Reception, { kind: 'stored' }>;
}

interface FirstEvent {
  id: string;
  source: string;
  event_id: string;
  payload_hash: string;
}

/** Writes batches of received webhooks. */
@Injectable()
export class WebhookEventWriter {
  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly transactor: Transactor,
    private readonly audit: AuditLog,
  ) {}

  /**
   * Stores what is new and tells what each item was, in order. Once it returns, all of it is committed. What was there
   * already is looked at in a second transaction: it is rare, and the common path stays one round trip. When that one
   * fails it is the repeats' failure only; what is stored is stored.
   *
   * @param worker who holds the claims of inline events
   */
  async store(webhooks: readonly ReceivedWebhook[], worker: string): Promise<Outcome<Reception>[]> {
    const stored = new Set(await this.insert(webhooks, worker));
    const repeated = webhooks.filter(({ id }) => !stored.has(id));
    const repeats = new Map(repeated.length === 0 ? [] : await this.outcomesOfRepeats(repeated));
    return webhooks.map(({ id }) => repeats.get(id) ?? { result: { kind: 'stored', id } });
  }

  private async outcomesOfRepeats(repeated: readonly ReceivedWebhook[]): Promise<[string, Outcome<Reception>][]> {
    try {
      const found = await this.compareWithFirsts(repeated);
      const byId = new Map(found.map(({ webhook, reception }) => [webhook.id, reception]));
      return repeated.map(({ id }) => {
        const reception = byId.get(id);
        // Retention removed the first between the two transactions; the sender's next try stores it.
        const gone = new UnavailableError('The event changed while it was stored; send it again.');
        return [id, reception ? { result: reception } : { error: gone }];
      });
    } catch (error) {
      return repeated.map(({ id }) => [id, { error }]);
    }
  }

  private async insert(webhooks: readonly ReceivedWebhook[], worker: string): Promise<string[]> {
    let at = 1;
    const bodyPlaces = webhooks.map(({ rawBody: { length } }) => (at += length) - length);
    const rows = await this.transactor.statement<{ id: string }>(STORE, [
      Buffer.concat(webhooks.map(({ rawBody }) => rawBody)),
      plainArrayLiteral(bodyPlaces),
      plainArrayLiteral(webhooks.map(({ rawBody }) => rawBody.length)),
      plainArrayLiteral(webhooks.map(({ id }) => id)),
      arrayLiteral(webhooks.map(({ source }) => source)),
      arrayLiteral(webhooks.map(({ provider }) => provider)),
      arrayLiteral(webhooks.map(({ eventId }) => eventId)),
      arrayLiteral(webhooks.map(({ eventType }) => eventType)),
      plainArrayLiteral(webhooks.map(({ status }) => status)),
      plainArrayLiteral(webhooks.map(({ payloadStorage }) => payloadStorage)),
      arrayLiteral(webhooks.map(({ metadata }) => metadata)),
      plainArrayLiteral(webhooks.map(({ payloadHash }) => payloadHash)),
      arrayLiteral(webhooks.map(({ orderingKey }) => orderingKey)),
      plainArrayLiteral(webhooks.map(({ occurredAt }) => occurredAt)),
      plainArrayLiteral(webhooks.map(({ ip }) => ip)),
      arrayLiteral(webhooks.map(({ userAgent }) => userAgent)),
      plainArrayLiteral(webhooks.map(({ secretId }) => secretId)),
      plainArrayLiteral(webhooks.map(({ maxRetries }) => maxRetries)),
      plainArrayLiteral(webhooks.map(({ claimId }) => claimId)),
      arrayLiteral(webhooks.map(({ requestId }) => requestId)),
      worker,
      this.config.WEBHOOK_LEASE_MS,
    ]);
    return rows.map(({ id }) => id);
  }

  private compareWithFirsts(repeated: readonly ReceivedWebhook[]): Promise<Repeat[]> {
    return this.transactor.run(
      async (tx) => {
        const firsts = await tx.query<FirstEvent[]>(FIND_FIRST, [
          repeated.map(({ source }) => source),
          repeated.map(({ eventId }) => eventId),
        ]);
        const byKey = new Map(firsts.map((first) => [keyOf(first.source, first.event_id), first]));
        const repeats = repeated.flatMap((webhook): Repeat[] => {
          const first = byKey.get(keyOf(webhook.source, webhook.eventId));
          if (!first) return [];
          const kind = first.payload_hash === webhook.payloadHash ? 'duplicate' : 'conflict';
          return [{ webhook, reception: { kind, id: first.id } }];
        });
        await this.keepRepeats(tx, repeats);
        return repeats;
      },
      // The second look must see rows that rivals committed while the first statement waited for them.
      { isolation: 'READ COMMITTED' },
    );
  }

  private async keepRepeats(tx: EntityManager, repeats: readonly Repeat[]): Promise<void> {
    const conflicts = repeats.filter(({ reception }) => reception.kind === 'conflict');
    if (conflicts.length > 0) {
      await tx.query(STORE_CONFLICTS, [
        conflicts.map(({ webhook }) => webhook.id),
        conflicts.map(({ reception }) => reception.id),
        conflicts.map(({ webhook }) => webhook.payloadHash),
        conflicts.map(({ webhook }) => webhook.rawBody),
        conflicts.map(({ webhook }) => webhook.metadata),
        conflicts.map(({ webhook }) => webhook.ip),
      ]);
    }
    await this.audit.record(
      tx,
      repeats.map(({ webhook, reception }) => ({
        actor: `webhook:${webhook.source}`,
        action: `webhook.${reception.kind}`,
        subject: `webhook-event:${reception.id}`,
        requestId: webhook.requestId,
        ip: webhook.ip ?? undefined,
        details: { eventId: webhook.eventId, sha256: webhook.payloadHash },
      })),
    );
  }
}

/** NUL cannot occur in either part. */
function keyOf(source: string, eventId: string): string {
  return `${source}\0${eventId}`;
}
