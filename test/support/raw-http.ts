import { connect, type Socket } from 'node:net';
import { type Answer, jsonObject } from './http-answer.js';

const TIMEOUT_MS = 15_000;

/** A request as bytes, exactly the headers given and in their order; only `Host` is added. */
export function rawRequest(
  requestLine: string,
  headers: readonly (readonly [name: string, value: string])[],
  body: string | Buffer = '',
): Buffer {
  const lines = [
    `${requestLine} HTTP/1.1`,
    'Host: holdfast.test',
    ...headers.map(([name, value]) => `${name}: ${value}`),
  ];
  return Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), Buffer.from(body)]);
}

/** The body in HTTP chunks of `size` bytes, with the last, empty one. */
export function chunked(body: Buffer, size: number): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < body.length; at += size) {
    const part = body.subarray(at, at + size);
    parts.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n'));
  }
  return Buffer.concat([...parts, Buffer.from('0\r\n\r\n')]);
}

/**
 * Says something to the server over a bare socket and resolves with the first complete answer, however the connection
 * ends after it.
 *
 * @param say bytes, or a function that writes to the socket in its own time
 * @throws Error when the connection ends, or 15 s pass, without an answer
 */
export function speak(url: string, say: Buffer | ((socket: Socket) => unknown)): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname.replace(/^\[|\]$/g, ''));
    let received = Buffer.alloc(0);
    const timer = setTimeout(() => fail(`no answer within ${TIMEOUT_MS} ms`), TIMEOUT_MS);
    const finish = () => {
      clearTimeout(timer);
      socket.destroy();
    };
    const fail = (why: string) => {
      finish();
      reject(new Error(`${why}; received: ${received.toString('latin1')}`));
    };
    socket.on('connect', () => (Buffer.isBuffer(say) ? socket.write(say) : say(socket)));
    socket.on('data', (data) => {
      received = Buffer.concat([received, data]);
      const answer = parse(received);
      if (!answer) return;
      finish();
      resolve(answer);
    });
    // What was answered before a reset still arrives before 'close'.
    socket.on('error', () => undefined);
    socket.on('close', () => fail('the connection was closed without an answer'));
  });
}

/** A bare connection in the hands of a test; it reads all that it is sent unless told not to. */
export class Connection {
  received = '';
  isClosed = false;
  private readonly socket: Socket;

  /** @param localAddress one of this machine's other addresses, such as 127.0.0.2 */
  constructor(url: string, { isRead = true, localAddress }: { isRead?: boolean; localAddress?: string } = {}) {
    const { hostname, port } = new URL(url);
    const host = hostname.replace(/^\[|\]$/g, '');
    this.socket = connect({ port: Number(port), host, ...(localAddress !== undefined && { localAddress }) });
    if (isRead) this.socket.on('data', (data) => (this.received += data.toString('latin1')));
    this.socket.on('error', () => undefined);
    this.socket.on('close', () => (this.isClosed = true));
  }

  /** How often a text has come. */
  count(text: string): number {
    return this.received.split(text).length - 1;
  }

  write(data: string | Buffer): void {
    this.socket.write(data);
  }

  end(): void {
    this.socket.destroy();
  }
}

/** The first final answer; `100 Continue` and its kin only announce one. */
function parse(received: Buffer): Answer | undefined {
  const end = received.indexOf('\r\n\r\n');
  if (end === -1) return undefined;
  if (received.toString('latin1', 0, 10) === 'HTTP/1.1 1') return parse(received.subarray(end + 4));
  const [statusLine = '', ...lines] = received.subarray(0, end).toString('latin1').split('\r\n');
  const headers = new Headers();
  for (const line of lines) headers.append(line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim());
  const body = received.subarray(end + 4);
  if (body.length < Number(headers.get('content-length') ?? 0)) return undefined;
  const text = body.toString();
  return { status: Number(statusLine.split(' ')[1]), headers, text, body: jsonObject(text) };
}
