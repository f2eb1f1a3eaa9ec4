import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../../config/index.js';
import { UnavailableError } from '../../../kernel/app-error.js';
import type { Outcome } from '../../../platform/coalescer/index.js';
import { arrayLiteral, plainArrayLiteral, prepared, type PreparedStatement } from '../../../platform/database/index.js';
import { Transactor } from '../../../platform/transaction/index.js';
import { AuditLog } from '../../audit/index.js';
import type { ReceivedWebhook, Reception } from './received-webhook.js';
import { Repeats } from './repeats.js';

/**
 * Events, their audit lines and what is due, in one statement and one round trip. ON CONFLICT DO NOTHING waits for a
 * rival that is inserting the same event, so "not stored" means somebody else's copy is committed. The rows go in by
 * event id: two batches that share events then wait for each other in one direction only.
 *
 * The bodies of a batch travel as one value (`$1`), which the driver sends as the bytes they are: as an array of bytea
 * each would be written in hex and parsed again (97 → 83 µs of the database's time an event).
 */
const STORE = storing('store_webhook_events', `event_id || '_' || event_type`);

/** For an event whose id and type together read like another's (`a_b` + `c`, `a` + `b_c`): its own id makes its key unique. */
const STORE_UNDER_OWN_KEY = storing('store_webhook_events_own_key', `event_id || '_' || event_type || ':' || id`);

/** Nobody needs more than three: one for the id of the sender, one for a rival in between, one to see who won. */
const MOST_ROUNDS = 5;

/** Writes batches of received webhooks. */
@Injectable()
export class WebhookEventWriter {
  private readonly repeats: Repeats;

  constructor(
    @Inject(CONFIG) private readonly config: Config,
    private readonly transactor: Transactor,
    audit: AuditLog,
  ) {
    this.repeats = new Repeats(transactor, audit);
  }

  /**
   * Stores what is new and tells what each item was, in order. Once it returns, all of it is committed. What could not be
   * stored as it came is looked at in transactions of its own: it is rare, and the common path stays one round trip. When
   * one of those fails it is the repeats' failure only; what is stored is stored.
   *
   * @param worker who holds the claims of inline events
   */
  async store(webhooks: readonly ReceivedWebhook[], worker: string): Promise<Outcome<Reception>[]> {
    const stored = new Set(await this.insert(STORE, webhooks, worker));
    const repeated = webhooks.filter(({ id }) => !stored.has(id));
    const outcomes = repeated.length === 0 ? undefined : await this.settle(repeated, worker);
    return webhooks.map(({ id }) => outcomes?.get(id) ?? { result: { kind: 'stored', id } });
  }

  /** A round each: what was in the way is looked at, and what is new after all is stored where nothing is in the way. */
  private async settle(repeated: readonly ReceivedWebhook[], worker: string): Promise<Map<string, Outcome<Reception>>> {
    const outcomes = new Map<string, Outcome<Reception>>();
    let open = repeated;
    let failure: unknown = new UnavailableError('The event changed while it was stored; send it again.');
    try {
      for (let round = 1; open.length > 0 && round <= MOST_ROUNDS; round++) {
        const { settled, asTheyAre, underOwnKey } = await this.repeats.judge(open);
        for (const { webhook, outcome } of settled) outcomes.set(webhook.id, outcome);
        const stored = new Set([
          ...(asTheyAre.length > 0 ? await this.insert(STORE, asTheyAre, worker) : []),
          ...(underOwnKey.length > 0 ? await this.insert(STORE_UNDER_OWN_KEY, underOwnKey, worker) : []),
        ]);
        open = [...asTheyAre, ...underOwnKey];
        for (const { id, eventId } of open) {
          if (stored.has(id)) outcomes.set(id, { result: { kind: 'stored', id, eventId } });
        }
        open = open.filter(({ id }) => !stored.has(id));
      }
    } catch (error) {
      failure = error;
    }
    for (const { id } of repeated) if (!outcomes.has(id)) outcomes.set(id, { error: failure });
    return outcomes;
  }

  private async insert(
    statement: PreparedStatement,
    webhooks: readonly ReceivedWebhook[],
    worker: string,
  ): Promise<string[]> {
    let at = 1;
    const bodyPlaces = webhooks.map(({ rawBody: { length } }) => (at += length) - length);
    const rows = await this.transactor.statement<{ id: string }>(statement, [
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
}

/** @param key what becomes the event's idempotency key, as SQL */
function storing(name: string, key: string): PreparedStatement {
  return prepared(
    name,
    `
  WITH incoming AS (
    SELECT
      t.*, substr($1::bytea, body_at, body_length) AS raw_body,
      ${key} AS idempotency_key
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
}
