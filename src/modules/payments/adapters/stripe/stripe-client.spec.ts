import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { openStripe } from './stripe-client.js';

let server: Server;
let answer: (response: ServerResponse) => void;

beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume();
    request.once('end', () => answer(response));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
});

afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
});

function retrieve(timeout: number): Promise<unknown> {
  const { port } = server.address() as AddressInfo;
  return openStripe('sk_test_1', `http://127.0.0.1:${port}`, timeout).paymentIntents.retrieve('pi_1');
}

/** What has been forgotten is collected while this runs. */
async function collectGarbage(): Promise<void> {
  for (let round = 0; round < 30; round++) {
    Array.from({ length: 200_000 }, (_, index) => ({ index }));
    await new Promise((resolve) => setImmediate(resolve));
  }
}

describe('a call to Stripe', () => {
  it.each([
    ['stops after the headers', (response: ServerResponse) => response.writeHead(200).flushHeaders()],
    ['stops in the middle', (response: ServerResponse) => response.write('{"id":')],
  ])('ends at its deadline when the answer %s', async (_, stop) => {
    answer = stop;
    const calls = Array.from({ length: 20 }, () => retrieve(1000));
    const ended = Promise.allSettled(calls);
    await collectGarbage();
    expect((await ended).map(({ status }) => status)).toEqual(calls.map(() => 'rejected'));
  });

  it.each([
    [200, '"ok"'],
    [200, '42'],
    [200, 'true'],
    [200, '[]'],
    [200, ''],
    [502, '"bad gateway"'],
  ])('ends when the answer is %i %s', async (status, body) => {
    answer = (response) => response.writeHead(status, { 'content-type': 'application/json' }).end(body);
    await expect(retrieve(10_000)).rejects.toThrow();
  });

  it('is sent once when it is told to go elsewhere', async () => {
    let requests = 0;
    answer = (response) => {
      requests += 1;
      response.writeHead(307, { location: '/v1/payment_intents/pi_2' }).end();
    };
    await expect(retrieve(10_000)).rejects.toThrow();
    expect(requests).toBe(1);
  });
});
