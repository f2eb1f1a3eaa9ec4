import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { SMTPServer, type SMTPServerOptions } from 'smtp-server';

export interface ReceivedMail {
  from: string;
  to: string[];
  /** As it came over the wire, dots unstuffed. */
  source: string;
}

/** What a server says at a step; nothing: it goes on. */
export interface SmtpRefusals {
  onRecipient?: (attempt: number) => string | undefined;
  onData?: (attempt: number) => string | undefined;
}

/** A real SMTP server that keeps what it takes. */
export class TestSmtp {
  readonly received: ReceivedMail[] = [];
  readonly logins: string[] = [];
  recipients = 0;

  private constructor(
    private readonly server: SMTPServer,
    readonly port: number,
  ) {}

  static async start(refusals: SmtpRefusals = {}, options: SMTPServerOptions = {}, port = 0): Promise<TestSmtp> {
    let recipients = 0;
    let datas = 0;
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onAuth({ username = '', password }, _session, callback) {
        started.logins.push(`${username}:${password}`);
        if (password === 'right') callback(null, { user: username });
        else callback(smtpError('535 5.7.8 no such user'));
      },
      onRcptTo(_address, _session, callback) {
        started.recipients = ++recipients;
        const refusal = refusals.onRecipient?.(recipients);
        callback(refusal === undefined ? null : smtpError(refusal));
      },
      onData(stream, { envelope }, callback) {
        const chunks: Buffer[] = [];
        stream.on('data', (chunk: Buffer) => chunks.push(chunk));
        stream.on('end', () => {
          const refusal = refusals.onData?.(++datas);
          if (refusal !== undefined) {
            callback(smtpError(refusal));
            return;
          }
          const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
          const to = envelope.rcptTo.map(({ address }) => address);
          started.received.push({ from, to, source: Buffer.concat(chunks).toString('utf8') });
          callback(null);
        });
      },
      ...options,
    });
    server.on('error', () => undefined);
    server.listen(port, '127.0.0.1');
    await once(server.server, 'listening');
    const address = server.server.address();
    if (address === null || typeof address === 'string') throw new Error('No port');
    const started = new TestSmtp(server, address.port);
    return started;
  }

  get url(): string {
    return `smtp://127.0.0.1:${this.port}`;
  }

  stop(): Promise<void> {
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

function smtpError(answer: string): Error {
  const error = new Error(answer.slice(4));
  return Object.assign(error, { responseCode: Number(answer.slice(0, 3)) });
}

/** A server that answers each line as it is told to, and falls silent wherever that is `undefined`. */
export class ScriptedSmtp {
  connections = 0;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  /** @param answer to a line, and to null as the greeting */
  static async start(answer: (line: string | null) => string | undefined): Promise<ScriptedSmtp> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('No port');
    const scripted = new ScriptedSmtp(server, address.port);
    server.on('connection', (socket) => {
      scripted.connections++;
      scripted.sockets.add(socket);
      const say = (line: string | null) => {
        const said = answer(line);
        if (said !== undefined) socket.write(`${said}\r\n`);
      };
      socket.on('error', () => undefined);
      socket.on('data', (data) => {
        for (const line of data.toString('latin1').split('\r\n').slice(0, -1)) say(line);
      });
      say(null);
    });
    return scripted;
  }

  get url(): string {
    return `smtp://127.0.0.1:${this.port}`;
  }

  /** To everybody. */
  say(line: string): void {
    for (const socket of this.sockets) socket.write(`${line}\r\n`);
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}
