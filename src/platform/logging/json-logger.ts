import type { LoggerService } from '@nestjs/common';
import { type DestinationStream, type Logger, type LoggerOptions, pino } from 'pino';
import { PlainLine } from './plain-line.js';

/** Nest tells every route and module at start; that is for debugging Nest. */
const CHATTY = new Set(['InstanceLoader', 'RoutesResolver', 'RouterExplorer', 'NestFactory', 'NestApplication']);

/** Fields that are secret whatever their value. */
const SECRET_FIELDS = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'token',
  'accessToken',
  'refreshToken',
  'apiKey',
  'key',
  '["x-api-key"]',
  '["set-cookie"]',
];

/** Secrets by their looks, wherever they turn up: in a message, a URL, an error's text. */
const SECRET_SHAPES =
  /hf_[A-Za-z0-9_]{16,}|hf[rm]_[\w-]{16,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|whsec_[A-Za-z0-9+/=_-]{6,}|whsk_[A-Za-z0-9+/=_-]{6,}|[rs]k_(?:live|test)_[A-Za-z0-9]+|(?<=Bearer )[A-Za-z0-9._~+/-]{8,}|(?<=:\/\/[^\s:@/"]{0,100}:)[^\s@"]+(?=@)/g;
const CENSOR = '[redacted]';

/** Replaces what looks like a secret. */
export function withoutSecrets(text: string): string {
  return text.replace(SECRET_SHAPES, CENSOR);
}

/** What finds the fault, and nothing of what was in hand: a driver's error carries the parameters of its query. */
function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return typeof error === 'string' ? error : typeof error;
  const { name, message, stack } = error;
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {};
  const cause = error.cause instanceof Error ? { cause: serializeError(error.cause) } : {};
  return { type: name, message, ...code, stack, ...cause };
}

/** JSON lines on standard output, secrets redacted; the logger of Nest and of the whole process. */
export class JsonLogger implements LoggerService {
  readonly pino: Logger;
  /** For lines that hold nothing but fields made for them: looking for secrets in each was a tenth of a GET. */
  readonly plain: Logger;

  constructor(level: string, destination: DestinationStream = pino.destination({ fd: 1, sync: false })) {
    const options: LoggerOptions = {
      level,
      base: { pid: process.pid },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: serializeError },
      formatters: { level: (label) => ({ level: label }) },
    };
    this.plain = pino(options, destination);
    this.pino = pino(
      {
        ...options,
        redact: {
          paths: SECRET_FIELDS.flatMap((field) => {
            const nested = field.startsWith('[') ? `*${field}` : `*.${field}`;
            return [field, nested, `*.${nested}`];
          }),
          censor: CENSOR,
        },
        hooks: { streamWrite: withoutSecrets },
      },
      destination,
    );
  }

  log(message: unknown, ...rest: unknown[]): void {
    this.write(CHATTY.has(String(rest.at(-1))) ? 'debug' : 'info', message, rest);
  }

  error(message: unknown, ...rest: unknown[]): void {
    this.write('error', message, rest);
  }

  warn(message: unknown, ...rest: unknown[]): void {
    this.write('warn', message, rest);
  }

  debug(message: unknown, ...rest: unknown[]): void {
    this.write('debug', message, rest);
  }

  verbose(message: unknown, ...rest: unknown[]): void {
    this.write('trace', message, rest);
  }

  fatal(message: unknown, ...rest: unknown[]): void {
    this.write('fatal', message, rest);
  }

  /** Nest passes the context last and, for errors, a stack before it. */
  private write(
    level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal',
    message: unknown,
    rest: unknown[],
  ): void {
    if (!this.pino.isLevelEnabled(level)) return;
    const context = rest.at(-1);
    const stack = rest.length > 1 && typeof rest[0] === 'string' ? { stack: rest[0] } : {};
    const fields = { ...(typeof context === 'string' && { context }), ...stack };
    if (message instanceof PlainLine) this.plain[level]({ ...fields, ...message.fields });
    else if (message instanceof Error) this.pino[level]({ ...fields, err: message }, message.message);
    else if (typeof message === 'object' && message !== null) this.pino[level]({ ...fields, ...message });
    else this.pino[level](fields, String(message));
  }
}
