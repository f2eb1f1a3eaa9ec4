import { connect, type Socket } from 'node:net';

export type OnAnswer = (status: number, head: string, body: string) => void;

/** Most answers have about 1 KB; a longer one, of a batch for example, comes in parts. */
const READ_BYTES = 64 * 1024;
const HEAD_END = '\r\n\r\n';

/**
 * One keep-alive connection with at most one request under way. Raw bytes and one buffer to read into: the generator shares
 * the machine with what it measures, so it does no more than it must.
 */
export class Connection {
  private constructor(private readonly socket: Socket) {}

  private onAnswer: OnAnswer | undefined;
  /** Of an answer that is not whole yet, what has come. */
  private parts: Buffer[] = [];
  /** Bytes that have come of the answer, and that have to before it is worth a look. */
  private received = 0;
  private needed = 0;

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
    this.received += chunk.length;
    if (this.received < this.needed) return this.keep(chunk);
    const bytes = this.parts.length === 0 ? chunk : Buffer.concat([...this.parts, chunk]);
    const headEnd = bytes.indexOf(HEAD_END);
    const head = headEnd === -1 ? '' : bytes.toString('latin1', 0, headEnd);
    const bodyAt = headEnd + HEAD_END.length;
    const end = bodyAt + Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (headEnd === -1 || bytes.length < end) {
      this.needed = headEnd === -1 ? bytes.length + 1 : end;
      return this.keep(chunk);
    }
    this.parts = [];
    this.received = this.needed = 0;
    // "HTTP/1.1 200 OK"
    this.onAnswer?.(Number(head.slice(9, 12)), head, bytes.toString('latin1', bodyAt, end));
  }

  /** A copy: the buffer that was read into is used again for what comes next. */
  private keep(chunk: Buffer): void {
    this.parts.push(Buffer.from(chunk));
  }
}
