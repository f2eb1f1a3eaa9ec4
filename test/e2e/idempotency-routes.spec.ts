import { createHash } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { answerOf, expectProblem } from '../support/http-answer.js';
import { isReplay, newKey, post } from '../support/idempotent-cluster.js';
import { RATE_LIMITS_OFF } from '../support/rate-limits-off.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { waitFor } from '../support/wait-for.js';
import { newEventId } from '../support/webhook-sender.js';

const holdfast = serverUnderTest({ env: RATE_LIMITS_OFF });

const send = (path: string, key: string | undefined, body: unknown) => post(holdfast.server, path, key, body);

describe('POST /api/replay-jobs', () => {
  const job = { filter: { status: 'DEAD_LETTER' }, dryRun: true };
  const jobs = async () => Number((await holdfast.sql('SELECT count(*) FROM webhook_replay_jobs'))[0]?.['count']);

  it('makes one job a key, and one each time without', async () => {
    const key = newKey();
    const before = await jobs();
    const made = await send('/api/replay-jobs', key, job);
    expect({ status: made.status, replay: isReplay(made) }).toEqual({ status: 202, replay: false });
    const repeat = await send('/api/replay-jobs', key, job);
    expect({ status: repeat.status, text: repeat.text, replay: isReplay(repeat) }).toEqual({
      status: 202,
      text: made.text,
      replay: true,
    });
    expect(await jobs()).toBe(before + 1);
    const others = [await send('/api/replay-jobs', undefined, job), await send('/api/replay-jobs', undefined, job)];
    expect(others.map(({ status }) => status)).toEqual([202, 202]);
    expect(await jobs()).toBe(before + 3);
  });

  it('lets a key be used again after a body that was refused', async () => {
    const key = newKey();
    expectProblem(await send('/api/replay-jobs', key, { filter: {} }), 400, 'VALIDATION_FAILED');
    expect((await send('/api/replay-jobs', key, job)).status).toBe(202);
  });
});

describe('POST /api/webhook-sources', () => {
  const secret = 'weak-secret-1';

  it('opens a source once, and says so again instead of a conflict', async () => {
    const key = newKey();
    const source = { name: `twice-${key.slice(0, 8)}`, provider: 'stripe', secret };
    const made = await send('/api/webhook-sources', key, source);
    expect(made.status).toBe(201);
    const repeat = await send('/api/webhook-sources', key, source);
    expect({ text: repeat.text, replay: isReplay(repeat) }).toEqual({ text: made.text, replay: true });
    expectProblem(await send('/api/webhook-sources', undefined, source), 409, 'WEBHOOK_SOURCE_EXISTS');
    const altered = { ...source, secret: 'another-secret' };
    expectProblem(await send('/api/webhook-sources', key, altered), 422, 'IDEMPOTENCY_KEY_REUSED');
  });

  it('rotates a secret once', async () => {
    const name = `rotated-${newKey().slice(0, 8)}`;
    await send('/api/webhook-sources', undefined, { name, provider: 'stripe', secret });
    const key = newKey();
    const rotated = await send(`/api/webhook-sources/${name}/secrets`, key, { secret: 'the-second-one' });
    expect(rotated.status).toBe(201);
    expect(isReplay(await send(`/api/webhook-sources/${name}/secrets`, key, { secret: 'the-second-one' }))).toBe(true);
    const { body } = await holdfast.call('GET', `/api/webhook-sources/${name}`);
    expect(body['secrets']).toHaveLength(2);
  });

  it('stores neither the secret, nor a hash by which it could be guessed', async () => {
    const key = newKey();
    const source = { name: `secret-${key.slice(0, 8)}`, provider: 'stripe', secret };
    expect((await send('/api/webhook-sources', key, source)).status).toBe(201);
    const [record] = await holdfast.sql<{ row: string; fingerprint: string }>(
      `SELECT r::text AS row, encode(fingerprint, 'hex') AS fingerprint FROM idempotency_records AS r WHERE key = $1`,
      [key],
    );
    expect(record?.row).not.toContain(secret);
    const canonical = `{"name":"${source.name}","provider":"stripe","secret":"${secret}"}`;
    const guess = createHash('sha256').update(`POST /api/webhook-sources\n\n\n${canonical}`).digest('hex');
    expect(record?.fingerprint).not.toBe(guess);
  });
});

/** A request whose effect is one line of the audit log. */
interface Change {
  readonly method: string;
  readonly path: string;
  readonly body?: object;
  /** The action of that line. */
  readonly action: string;
  readonly status: number;
}

async function newSource(): Promise<string> {
  const name = `source-${newKey().slice(0, 8)}`;
  const source = { name, provider: 'stripe', secret: 'weak-secret-1' };
  expect((await send('/api/webhook-sources', undefined, source)).status).toBe(201);
  return name;
}

async function newApiKey(): Promise<string> {
  const { body } = await send('/api/api-keys', undefined, { name: 'a key', scopes: ['webhooks:read'] });
  return String(body['id']);
}

async function newEvent(): Promise<string> {
  const eventId = newEventId();
  expect((await holdfast.sender.send('github', { zen: 'once' }, { id: eventId })).status).toBe(200);
  return waitFor(async () => {
    const [event] = await holdfast.sql<{ id: string }>(
      `SELECT id FROM webhook_events WHERE event_id = $1 AND status NOT IN ('PENDING', 'PROCESSING')`,
      [eventId],
    );
    return event?.id;
  });
}

async function newFraudRule(): Promise<string> {
  const rule = { name: 'a rule', kind: 'amount', action: 'review', mode: 'off', limit: 1, currency: 'USD' };
  return String((await send('/api/fraud-rules', undefined, rule)).body['id']);
}

async function newForm(): Promise<string> {
  return String((await send('/api/forms', undefined, { name: 'a form' })).body['id']);
}

const anyEmail = () => encodeURIComponent(`${newKey()}@example.com`);

/** Each makes a change that can be made once more, and differs from all before. */
const CHANGES: Record<string, () => Promise<Change>> = {
  'opening a source': async () => ({
    method: 'POST',
    path: '/api/webhook-sources',
    body: { name: `opened-${newKey().slice(0, 8)}`, provider: 'stripe', secret: 'weak-secret-1' },
    action: 'webhook_source.created',
    status: 201,
  }),
  'changing a source': async () => ({
    method: 'PATCH',
    path: `/api/webhook-sources/${await newSource()}`,
    body: { maxRetries: 3 },
    action: 'webhook_source.changed',
    status: 200,
  }),
  'closing a source': async () => ({
    method: 'DELETE',
    path: `/api/webhook-sources/${await newSource()}`,
    action: 'webhook_source.deleted',
    status: 204,
  }),
  'rotating a secret': async () => ({
    method: 'POST',
    path: `/api/webhook-sources/${await newSource()}/secrets`,
    body: { secret: 'weak-secret-2' },
    action: 'webhook_source.rotated',
    status: 201,
  }),
  'replaying an event': async () => ({
    method: 'POST',
    path: `/api/webhook-events/${await newEvent()}/replay`,
    action: 'webhook.replayed',
    status: 202,
  }),
  'replaying many': async () => ({
    method: 'POST',
    path: '/api/replay-jobs',
    body: { filter: { source: 'nobody' } },
    action: 'replay_job.created',
    status: 202,
  }),
  'cancelling that': async () => {
    const { body } = await send('/api/replay-jobs', undefined, { filter: { source: 'stripe' }, ratePerSecond: 1 });
    const id = String(body['id']);
    // As if there were much left to do.
    await holdfast.sql(
      `UPDATE webhook_replay_jobs SET status = 'RUNNING', updated_at = now() + '1 hour' WHERE id = $1`,
      [id],
    );
    return { method: 'DELETE', path: `/api/replay-jobs/${id}`, action: 'replay_job.canceled', status: 200 };
  },
  'making an API key': async () => ({
    method: 'POST',
    path: '/api/api-keys',
    body: { name: 'once', scopes: ['webhooks:read'] },
    action: 'api_key.created',
    status: 201,
  }),
  'revoking one': async () => ({
    method: 'DELETE',
    path: `/api/api-keys/${await newApiKey()}`,
    action: 'api_key.revoked',
    status: 204,
  }),
  'overriding a rate limit': async () => ({
    method: 'PUT',
    path: `/api/rate-limits/user:${newKey()}/override`,
    body: { rule: 'perHour', limit: 5 },
    action: 'rate_limit.overridden',
    status: 200,
  }),
  'going back to it': async () => {
    const path = `/api/rate-limits/user:${newKey()}/override`;
    await holdfast.call('PUT', path, { rule: 'perHour', limit: 5 });
    return { method: 'DELETE', path, action: 'rate_limit.restored', status: 204 };
  },
  'overriding a limit of mails': async () => ({
    method: 'PUT',
    path: `/api/email-limits/verification/${anyEmail()}/override`,
    body: { limit: 5 },
    action: 'email_limit.overridden',
    status: 200,
  }),
  'going back to that': async () => {
    const path = `/api/email-limits/verification/${anyEmail()}/override`;
    await holdfast.call('PUT', path, { limit: 5 });
    return { method: 'DELETE', path, action: 'email_limit.restored', status: 204 };
  },
  'making a fraud rule': async () => ({
    method: 'POST',
    path: '/api/fraud-rules',
    body: { name: 'once', kind: 'amount', action: 'review', mode: 'off', limit: 1, currency: 'USD' },
    action: 'fraud_rule.created',
    status: 201,
  }),
  'changing one': async () => ({
    method: 'PATCH',
    path: `/api/fraud-rules/${await newFraudRule()}`,
    body: { limit: 2 },
    action: 'fraud_rule.changed',
    status: 200,
  }),
  'deleting one': async () => ({
    method: 'DELETE',
    path: `/api/fraud-rules/${await newFraudRule()}`,
    action: 'fraud_rule.deleted',
    status: 204,
  }),
  'making a form': async () => ({
    method: 'POST',
    path: '/api/forms',
    body: { name: 'once' },
    action: 'form.created',
    status: 201,
  }),
  'changing that': async () => ({
    method: 'PATCH',
    path: `/api/forms/${await newForm()}`,
    body: { name: 'twice' },
    action: 'form.changed',
    status: 200,
  }),
  'deleting that': async () => ({
    method: 'DELETE',
    path: `/api/forms/${await newForm()}`,
    action: 'form.deleted',
    status: 204,
  }),
  'opening an account': async () => ({
    method: 'POST',
    path: '/api/wallet/accounts',
    body: { userId: newKey(), currency: 'USD' },
    action: 'ledger_account.opened',
    status: 201,
  }),
};

describe('A change with a key', () => {
  const request = async ({ method, path, body }: Change, key: string) =>
    answerOf(
      await holdfast.server.fetch(path, {
        method,
        headers: { 'idempotency-key': key, ...(body && { 'content-type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
      }),
    );

  async function lines({ action }: Change): Promise<number> {
    const [row] = await holdfast.sql<{ n: number }>('SELECT count(*)::integer AS n FROM audit_log WHERE action = $1', [
      action,
    ]);
    return row?.n ?? NaN;
  }

  beforeAll(async () => {
    await holdfast.sql(`CREATE FUNCTION break_off() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF starts_with(NEW.key, 'broken-') THEN RAISE 'broken off'; END IF;
        RETURN NEW;
      END $$`);
    await holdfast.sql(`CREATE TRIGGER break_off BEFORE INSERT ON idempotency_records
      FOR EACH ROW EXECUTE FUNCTION break_off()`);
  });

  it.each(Object.entries(CHANGES))(
    'happens together with its record, once, and reads the same: %s',
    async (_, make) => {
      const change = await make();
      const before = await lines(change);

      // Whatever goes wrong when the record is written, the change has not happened either.
      expectProblem(await request(change, `broken-${newKey()}`), 500, 'INTERNAL_ERROR');
      expect(await lines(change)).toBe(before);

      const key = newKey();
      const answers = await Promise.all(Array.from({ length: 6 }, () => request(change, key)));
      expect(await lines(change)).toBe(before + 1);
      const repeat = await request(change, key);
      expect({ status: repeat.status, replay: isReplay(repeat) }).toEqual({ status: change.status, replay: true });
      // A worker may run the replayed event already; who is told so comes again in a second.
      const answered = answers.filter(({ headers }) => !headers.has('retry-after'));
      for (const { status, text } of answered)
        expect({ status, text }).toEqual({ status: change.status, text: repeat.text });
      expect(answered.filter((answer) => !isReplay(answer))).toHaveLength(1);
      expect(await lines(change)).toBe(before + 1);

      expectProblem(await request({ ...change, path: `${change.path}?other=1` }, key), 422, 'IDEMPOTENCY_KEY_REUSED');
    },
  );

  it('that is refused by the state of things reads the refusal again, and leaves nothing', async () => {
    const change = await CHANGES['going back to it']?.();
    if (!change) throw new Error('There is no such change');
    expect((await request(change, newKey())).status).toBe(204);
    const key = newKey();
    const refused = await request(change, key);
    expectProblem(refused, 404, 'NOT_FOUND');
    await holdfast.call('PUT', change.path, { rule: 'perHour', limit: 5 });
    const repeat = await request(change, key);
    expect({ text: repeat.text, replay: isReplay(repeat) }).toEqual({ text: refused.text, replay: true });
    expect((await request(change, newKey())).status).toBe(204);
  });

  it('whose answer is a secret shows it again, and the database does not', async () => {
    const key = newKey();
    const made = await request(await CHANGES['making an API key']!(), key);
    const secret = String(made.body['key']);
    expect((await holdfast.call('GET', '/api/webhook-events', undefined, secret)).status).toBe(200);
    const [record] = await holdfast.sql<{ row: string }>(
      'SELECT r::text AS row FROM idempotency_records AS r WHERE key = $1',
      [key],
    );
    expect(record?.row).toContain('sealed:v1:');
    expect(record?.row).not.toContain(secret);
    expect(record?.row).not.toContain(String(made.body['id']));
  });
});

describe('The OpenAPI document', () => {
  it('names the header of the routes that take a key, and leaves their bodies as they are', async () => {
    const { body } = await holdfast.call('GET', '/openapi.json');
    const paths = body['paths'] as Record<string, Record<string, { parameters: object[]; requestBody: object }>>;
    const { parameters, requestBody } = paths['/api/webhook-sources']!['post']!;
    expect(parameters).toEqual([expect.objectContaining({ name: 'Idempotency-Key', in: 'header', required: false })]);
    expect(requestBody).toMatchObject({
      content: { 'application/json': { schema: { $ref: '#/components/schemas/CreateSourceDto' } } },
    });
  });
});
