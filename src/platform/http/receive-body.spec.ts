import fastify, { type FastifyInstance } from 'fastify';
import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ArrivingBodies, receiveBody } from './receive-body.js';

const LIMIT = 100_000;
const ROOM = 300_000;

let app: FastifyInstance;
let port: number;
const bodies = new ArrivingBodies(ROOM);
beforeAll(async () => {
  app = fastify();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(/^/, (request, _payload, done) => receiveBody(request, LIMIT, bodies, done));
  app.post<{ Body: Buffer }>('/', (request) => ({
    length: request.body.length,
    text: request.body.toString('latin1', 0, 20),
  }));
  await app.listen({ port: 0, host: '127.0.0.1' });
  port = Number(new URL(app.listeningOrigin).port);
});
afterAll(() => app.close());

/** A sender of one request, in his own time. */
class Sender {
  private received = '';
  private constructor(private readonly socket: Socket) {
    socket.on('data', (data) => (this.received += data.toString('latin1')));
    socket.on('error', () => undefined);
  }

  static begin(headers: string, localAddress = '127.0.0.1'): Sender {
    const sender = new Sender(connect({ port, host: '127.0.0.1', localAddress }));
    sender.socket.write(`POST / HTTP/1.1\r\nHost: a\r\n${headers}\r\n\r\n`);
    return sender;
  }

  write(bytes: number | string): Promise<void> {
    const data = typeof bytes === 'string' ? bytes : 'x'.repeat(bytes);
    return new Promise((resolve) => this.socket.write(data, () => resolve()));
  }

  leave(): void {
    this.socket.destroy();
  }

  get status(): number | undefined {
    const [, status] = /^HTTP\/1\.1 (\d+)/.exec(this.received) ?? [];
    return status === undefined ? undefined : Number(status);
  }

  async answer(): Promise<string> {
    await until(() => this.status !== undefined);
    this.socket.destroy();
    return this.received;
  }
}

const ofLength = (bytes: number) => `Content-Length: ${bytes}`;
const CHUNKED = 'Transfer-Encoding: chunked';

describe('receiveBody', () => {
  it.each([['a'], ['x'.repeat(LIMIT)]])('gives the bytes as they are, in one piece or more', async (body) => {
    for (const pieces of [1, 7]) {
      const sender = Sender.begin(ofLength(body.length));
      const size = Math.ceil(body.length / pieces);
      for (let at = 0; at < body.length; at += size) await sender.write(body.slice(at, at + size));
      expect(await sender.answer()).toContain(JSON.stringify({ length: body.length, text: body.slice(0, 20) }));
    }
  });

  it('puts chunks of one byte together, in order', async () => {
    const text = Array.from({ length: 5000 }, (_, index) => String.fromCharCode(97 + (index % 26))).join('');
    const sender = Sender.begin(CHUNKED);
    await sender.write(`${[...text].map((letter) => `1\r\n${letter}\r\n`).join('')}0\r\n\r\n`);
    expect(await sender.answer()).toContain(`{"length":5000,"text":"${text.slice(0, 20)}"}`);
  });

  it.each([
    ['by its length', ofLength(LIMIT + 1), ''],
    ['as it comes', CHUNKED, `${(LIMIT + 1).toString(16)}\r\n${'x'.repeat(LIMIT + 1)}\r\n`],
  ])('refuses one byte too many: %s', async (_, headers, body) => {
    const sender = Sender.begin(headers);
    await sender.write(body);
    expect(await sender.answer()).toMatch(/^HTTP\/1\.1 413 [^]*PAYLOAD_TOO_LARGE/);
  });
});

describe('Bodies that arrive at once', () => {
  async function halfSent(count: number, bytes: number, from?: string): Promise<Sender[]> {
    const senders = Array.from({ length: count }, () => Sender.begin(ofLength(LIMIT), from));
    // In two pieces: what comes in one is no matter.
    await Promise.all(senders.map((sender) => sender.write(1)));
    await Promise.all(senders.map((sender) => sender.write(bytes - 1)));
    return senders;
  }

  it('have so much memory together, and the largest of whoever has most gives way', async () => {
    const greedy = await halfSent(4, 90_000, '127.0.0.2');
    const refused = () => greedy.filter(({ status }) => status === 503).length;
    await until(() => refused() === 1);
    const [modest] = await halfSent(1, 70_000, '127.0.0.3');
    await until(() => refused() === 2);
    await modest?.write(LIMIT - 70_000);
    expect(await modest?.answer()).toContain('200 OK');
    for (const sender of greedy) if (sender.status === undefined) await sender.write(LIMIT - 90_000);
    const answers = await Promise.all(greedy.map((sender) => sender.answer()));
    expect(answers.filter((answer) => answer.includes('200 OK'))).toHaveLength(2);
    expect(answers.filter((answer) => /OVERLOADED/.test(answer))).toHaveLength(2);
    expect(bodies.heldBytes).toBe(0);
  });

  it('leave their memory to others however they end', async () => {
    const [done, gone, longer] = await halfSent(3, 70_000);
    await until(() => bodies.heldBytes === 210_000);
    await done?.write(LIMIT - 70_000);
    expect(await done?.answer()).toContain('200 OK');
    await until(() => bodies.heldBytes === 140_000);
    gone?.leave();
    await until(() => bodies.heldBytes === 70_000);
    longer?.leave();
    await until(() => bodies.heldBytes === 0);
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate();
}
