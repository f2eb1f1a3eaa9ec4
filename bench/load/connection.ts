import { connect, type Socket } from 'node:net';

export type OnAnswer = (status: number, body: string) => void;

/** Answers are about 1.2 KB; a longer one comes in parts. */
const READ_BYTES = 16 * 1024;
const HEAD_END = '\r\n\r\n';
const NOTHING = Buffer.alloc(0);

/**
 * One keep-alive connection with at most one request under way. Raw bytes and one buffer to read into: the generator shares
 * the machine with what it measures, so it does no more than it must.
 */
export class Connection {
  private constructor(private readonly socket: Socket) {}

  private onAnswer: OnAnswer | undefined;
  private received = NOTHING;

  /** @param onBroken told once, when the connection ends or fails */
  static open(host: string, port: number, onBroken: (reason: string) => void): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({
        host,
        port,
        noDelay: true,
        onread: {
          buffer: Buffer.allocUnsafe(READ_BYTES),
          callback: (length, buffer) => {
            connection.read(Buffer.from(buffer.buffer, buffer.byteOffset, length));
            return true;
          },
        },
      });
      const connection = new Connection(socket);
      socket.once('connect', () => {
        socket.off('error', reject);
        socket.once('error', (error) => onBroken(error.message));
        socket.once('end', () => onBroken('the server closed the connection'));
        resolve(connection);
      });
      socket.once('error', reject);
    });
  }

  /** @param request not touched again before its answer is here */
  send(request: Buffer, onAnswer: OnAnswer): void {
    this.onAnswer = onAnswer;
    this.socket.write(request);
  }

  close(): void {
    this.socket.removeAllListeners();
    this.socket.on('error', () => undefined).destroy();
  }

  private read(chunk: Buffer): void {
    const bytes = this.received === NOTHING ? chunk : Buffer.concat([this.received, chunk]);
    const headEnd = bytes.indexOf(HEAD_END);
    const head = headEnd === -1 ? '' : bytes.toString('latin1', 0, headEnd);
    const bodyAt = headEnd + HEAD_END.length;
    const end = bodyAt + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (headEnd === -1 || bytes.length < end) {
      // The buffer that was read into is used again for what comes next.
      this.received = Buffer.from(bytes);
      return;
    }
    this.received = NOTHING;
    // "HTTP/1.1 200 OK"
    this.onAnswer?.(Number(head.slice(9, 12)), bytes.toString('latin1', bodyAt, end));
  }
}
