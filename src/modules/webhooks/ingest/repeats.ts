import type { EntityManager } from 'typeorm';
import { UnavailableError } from '../../../kernel/app-error.js';
import type { Outcome } from '../../../platform/coalescer/index.js';
import { isLockTimeout } from '../../../platform/database/index.js';
import { READ_COMMITTED, type Transactor } from '../../../platform/transaction/index.js';
import type { AuditLog } from '../../audit/index.js';
import type { ReceivedWebhook, Reception } from './received-webhook.js';

/**
 * What stands in the way of each webhook that was not stored. Indexes: webhook_events_event_id_source_key,
 * webhook_events_idempotency_key_source_key. Without an event of the same id, what is in the way is one whose id and type
 * together read the same, or nothing any more.
 */
const FIND = `
  SELECT
    t.id AS webhook, first.id AS first, first.payload_hash,
    first.metadata -> 'headers' ->> t.sender_header AS sender,
    first.created_at < now() - t.memory_seconds * interval '1 second' AS forgotten,
    EXISTS (
      SELECT FROM webhook_events AS namesake
      WHERE namesake.source = t.source AND namesake.idempotency_key = t.event_id || '_' || t.event_type
    ) AS key_is_taken
  FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::integer[], $6::text[]) AS t (
    id, source, event_id, event_type, memory_seconds, sender_header
  )
  LEFT JOIN webhook_events AS first USING (source, event_id)`;

/**
 * A body that came before under the same id changes nothing: an attacker with a secret cannot fill the table. The event
 * itself is not touched: a worker may hold its row for as long as its handlers take.
 */
const STORE_CONFLICTS = `
  INSERT INTO webhook_event_conflicts (id, event, payload_hash, raw_body, metadata, ip_address)
  SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bytea[], $5::jsonb[], $6::inet[])
  ON CONFLICT DO NOTHING`;

/**
 * Whoever waited for the row while a rival retired it finds it under another id, and leaves it as it is: of any number of
 * equal newcomers one is then stored under the id that became free. Index: webhook_events_pkey.
 */
const RETIRE = `
  UPDATE webhook_events AS event
  SET
    event_id = event.event_id || ':' || event.id,
    idempotency_key = event.event_id || ':' || event.id || '_' || event.event_type,
    updated_at = now()
  FROM unnest($1::uuid[], $2::text[]) AS t (id, event_id)
  WHERE event.id = t.id AND event.event_id = t.event_id`;

/**
 * A worker holds the row of an event for as long as its handlers run, up to half a minute, and everything that came in
 * the same batch waits for this: after two seconds it is the sender who waits.
 */
const RETIRE_WITHIN = '2s';

interface Found {
  webhook: string;
  first: string | null;
  payload_hash: string;
  sender: string | null;
  forgotten: boolean | null;
  key_is_taken: boolean;
}

interface Repeat {
  webhook: ReceivedWebhook;
  reception: Reception;
}

interface Successor {
  webhook: ReceivedWebhook;
  /** The event whose id it takes over. */
  predecessor: { id: string; eventId: string };
}

/** What is to be done with webhooks that could not be stored as they came. */
export interface Judgement {
  settled: { webhook: ReceivedWebhook; outcome: Outcome<Reception> }[];
  /** To be stored after all; nothing that we know of is in the way any more. */
  asTheyAre: ReceivedWebhook[];
  /** To be stored under a key with their own id in it, as another event's reads like theirs. */
  underOwnKey: ReceivedWebhook[];
}

/** Tells resends, conflicts and events that are new after all from each other. */
export class Repeats {
  constructor(
    private readonly transactor: Transactor,
    private readonly audit: AuditLog,
  ) {}

  /** Keeps what is a resend or a conflict, and makes room for what follows an event that is too old to be the same. */
  async judge(repeated: readonly ReceivedWebhook[]): Promise<Judgement> {
    const { repeats, successors, ...toStore } = await this.transactor.run(
      async (tx) => {
        const judged = tellApart(repeated, await find(tx, repeated));
        await this.keep(tx, judged.repeats);
        return judged;
      },
      // Must see rows that rivals committed while the statement before waited for them.
      READ_COMMITTED,
    );
    const settled = repeats.map(({ webhook, reception }) => ({ webhook, outcome: { result: reception } }));
    const refusal = successors.length > 0 ? await this.retire(successors) : undefined;
    const followers = successors.map(({ webhook }) => webhook);
    if (refusal === undefined) return { ...toStore, settled, asTheyAre: [...toStore.asTheyAre, ...followers] };
    const refused = followers.map((webhook) => ({ webhook, outcome: { error: refusal } }));
    return { ...toStore, settled: [...settled, ...refused] };
  }

  /**
   * The newest event has the plain id. On its own, so that nothing else waits for the rows, and before the newcomer is
   * stored: if that fails, nobody was told that it is there, and the sender's next try finds the id free.
   *
   * @returns what to answer when a worker holds one of them
   */
  private async retire(successors: readonly Successor[]): Promise<UnavailableError | undefined> {
    const predecessors = successors.map(({ predecessor }) => predecessor).toSorted((a, b) => (a.id < b.id ? -1 : 1));
    try {
      await this.transactor.run(async (tx) => {
        await tx.query(`SELECT set_config('lock_timeout', $1, true)`, [RETIRE_WITHIN]);
        await tx.query(RETIRE, [predecessors.map(({ id }) => id), predecessors.map(({ eventId }) => eventId)]);
      }, READ_COMMITTED);
      return undefined;
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      return new UnavailableError('An older event that says the same is being processed; send it again.');
    }
  }

  private async keep(tx: EntityManager, repeats: readonly Repeat[]): Promise<void> {
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
    if (repeats.length === 0) return;
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

function find(tx: EntityManager, webhooks: readonly ReceivedWebhook[]): Promise<Found[]> {
  return tx.query<Found[]>(FIND, [
    webhooks.map(({ id }) => id),
    webhooks.map(({ source }) => source),
    webhooks.map(({ eventId }) => eventId),
    webhooks.map(({ eventType }) => eventType),
    webhooks.map(({ memorySeconds }) => memorySeconds ?? null),
    webhooks.map(({ sender }) => sender?.header ?? null),
  ]);
}

/** Where each webhook belongs, by what stands in its way. */
function tellApart(webhooks: readonly ReceivedWebhook[], found: readonly Found[]) {
  const byWebhook = new Map(found.map((row) => [row.webhook, row]));
  const repeats: Repeat[] = [];
  const successors: Successor[] = [];
  const asTheyAre: ReceivedWebhook[] = [];
  const underOwnKey: ReceivedWebhook[] = [];
  for (const webhook of webhooks) {
    const row = byWebhook.get(webhook.id);
    if (!row || row.first === null) {
      // Nothing of this id: retention removed it in between, or a rival is about to take the id over.
      if (row?.key_is_taken) underOwnKey.push(webhook);
      else asTheyAre.push(webhook);
      continue;
    }
    const { eventId, sender } = webhook;
    const as = (kind: Reception['kind'], id: string) => repeats.push({ webhook, reception: { kind, id, eventId } });
    if (row.forgotten) successors.push({ webhook, predecessor: { id: row.first, eventId } });
    else if (row.payload_hash === webhook.payloadHash) as('duplicate', row.first);
    else if (sender && row.sender !== sender.value)
      asTheyAre.push({ ...webhook, eventId: `${eventId}:${sender.value}` });
    else as('conflict', row.first);
  }
  return { repeats, successors, asTheyAre, underOwnKey };
}
