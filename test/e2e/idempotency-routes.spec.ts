import { createHash } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { expectProblem } from '../support/http-answer.js';
import { isReplay, newKey, post } from '../support/idempotent-cluster.js';
import { RATE_LIMITS_OFF } from '../support/rate-limits-off.js';
import { serverUnderTest } from '../support/server-under-test.js';

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
