import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { bodyShapes } from '../support/body-shapes.js';
import { type Answer, answerOf } from '../support/http-answer.js';
import { documentedOperations, type Operation, sampleOf } from '../support/openapi.js';
import { serverUnderTest } from '../support/server-under-test.js';
import { newEventId } from '../support/webhook-sender.js';

/** While one body is read and checked everything waits: webhooks, money and health. */
const LONGEST_WAIT_MS = 200;
/** A busy machine holds up anybody now and then, a shape does each time. */
const TRIES = 3;
/** Just below the limit of API bodies, with room for the fields beside the one that is filled. */
const SHAPES = bodyShapes(254 * 1024);
const UNKNOWN = '01890000-0000-7000-8000-000000000000';

const holdfast = serverUnderTest({ entry: 'test/support/watched-server.ts' });

let operations: Operation[];

beforeAll(async () => {
  operations = (await documentedOperations(holdfast.server)).filter(({ body }) => body !== undefined);
  const routes = operations.map(({ route }) => route);
  expect(routes).toEqual(expect.arrayContaining(['POST /api/auth/login', 'POST /api/wallet/transfers/batch']));
});

/** Since it was asked last. */
async function longestWait(): Promise<number> {
  const { ms } = (await (await holdfast.server.fetch('/test/longest-wait')).json()) as { ms: number };
  return Math.round(ms);
}

async function expectNoWait(shape: string, attempt: () => Promise<unknown>): Promise<void> {
  const waits: number[] = [];
  while (waits.length < TRIES) {
    await attempt();
    const ms = await longestWait();
    if (ms < LONGEST_WAIT_MS) return;
    waits.push(ms);
  }
  throw new Error(`Everything waited for ${shape}: ${waits.join(', ')} ms`);
}

async function send({ method, path }: Operation, body: string): Promise<Answer> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': randomUUID() };
  const url = path.replace(/\{\w+\}/g, UNKNOWN);
  return answerOf(await holdfast.server.fetch(url, { method, headers, body }));
}

/** Each shape in a field of a body that is good otherwise, every field in its turn, and objects as bodies too. */
function bodiesFor({ body = {} }: Operation): [shape: string, text: string][] {
  const sample = sampleOf(body) as object;
  const fields = Object.keys(sample);
  const inField = SHAPES.map(([shape, text], index): [string, string] => {
    const field = fields[index % fields.length] ?? '';
    const [before = '', after = ''] = JSON.stringify({ ...sample, [field]: UNKNOWN }).split(`"${UNKNOWN}"`);
    return [`${shape} in ${field}`, before + text + after];
  });
  return [...inField, ...SHAPES.filter(([, text]) => text.startsWith('{'))];
}

describe('A body of 256 KiB, whatever it is made of', () => {
  it('holds up nobody on any route', async () => {
    for (const operation of operations) {
      const bodies = bodiesFor(operation);
      await longestWait();
      for (const [shape, text] of bodies) {
        const { status } = await send(operation, text);
        const isRefused = status >= 400 && status < 500;
        expect({ route: operation.route, shape, status, isRefused }).toMatchObject({ isRefused: true });
      }
      if ((await longestWait()) < LONGEST_WAIT_MS) continue;
      for (const [shape, text] of bodies)
        await expectNoWait(`${operation.route}: ${shape}`, () => send(operation, text));
    }
  });

  it('holds up nobody as a webhook, neither when it comes in nor when it is shown', async () => {
    for (const [shape, text] of SHAPES) {
      let delivered: Answer | undefined;
      await expectNoWait(shape, async () => {
        delivered = await holdfast.sender.stripe(`{"id":"${newEventId()}","type":"x","data":${text}}`);
      });
      expect({ shape, status: delivered?.status }).toEqual({ shape, status: / in /.test(shape) ? 400 : 200 });
      if (delivered?.status !== 200) continue;
      const path = `/api/webhook-events/${String(delivered.body['id'])}`;
      await expectNoWait(`${shape}, shown`, async () => expect((await holdfast.call('GET', path)).status).toBe(200));
    }
  });
});
