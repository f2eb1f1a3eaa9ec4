import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';

/** A server that answers each request with the bytes it is told to, and counts. */
export class ScriptedHttp {
  connections = 0;
  /** Head and body of each, as they came. */
  readonly requests: string[] = [];
  readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /**
   * @param answer to the request that is the `count`th of all, from 1
   * @param tls certificate and key of a server that speaks TLS
   */
  static async start(
    answer: (socket: Socket, count: number) => void,
    { host = '127.0.0.1', port = 0, tls }: { host?: string; port?: number; tls?: { cert: string; key: string } } = {},
  ): Promise<ScriptedHttp> {
    const server = tls === undefined ? createServer() : createTlsServer(tls);
    server.listen(port, host);
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('No port');
    const scripted = new ScriptedHttp(server, address.port);
    server.on('connection', (socket) => {
      scripted.connections++;
      scripted.sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => scripted.sockets.delete(socket));
    });
    server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
      let received = '';
      socket.on('error', () => undefined);
      socket.on('data', (data) => {
        received += data.toString('latin1');
        for (let size = sizeOfRequest(received); size !== undefined; size = sizeOfRequest(received)) {
          scripted.requests.push(received.slice(0, size));
          received = received.slice(size);
          answer(socket, scripted.requests.length);
        }
      });
    });
    return scripted;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}

/** With the lengths that belong to them. */
export function rawAnswer(body: string, { status = '200 OK', headers = '' } = {}): string {
  return `HTTP/1.1 ${status}\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`;
}

function sizeOfRequest(received: string): number | undefined {
  const head = received.indexOf('\r\n\r\n');
  if (head === -1) return undefined;
  const size = head + 4 + Number(/\r\ncontent-length: (\d+)/i.exec(received.slice(0, head))?.[1] ?? 0);
  return received.length < size ? undefined : size;
}
