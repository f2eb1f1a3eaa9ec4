import { randomBytes } from 'node:crypto';
import { type Answer, answerOf } from './http-answer.js';
import { SECRETS, signers } from './signing.js';

/** An object is sent as JSON, text and bytes as they are. */
export type WebhookBody = string | Buffer | object;

export interface SendOptions {
  secret?: string;
  /** Unix seconds; now unless told. */
  timestamp?: number;
  /** Where to; `/webhooks/<provider>` unless told. */
  path?: string;
  /** Of the schemes that name the event in headers; a new one unless told. */
  id?: string;
  type?: string;
  /** Beside those of the signature, or in their place. */
  headers?: Record<string, string>;
}

/** Sends signed webhooks over real HTTP, as the providers would. */
export class WebhookSender {
  constructor(private readonly url: string) {}

  stripe(body: WebhookBody, options: SendOptions = {}): Promise<Answer> {
    return this.send('stripe', body, options);
  }

  /** Signs as `provider` does and sends. */
  send(provider: keyof typeof signers, given: WebhookBody, options: SendOptions = {}): Promise<Answer> {
    const { secret = SECRETS[provider], timestamp = unixNow(), id = newEventId(), type = 'test.event' } = options;
    const body = bytesOf(given);
    const signature = signers[provider](body, { secret, timestamp, id, type });
    return this.post(options.path ?? `/webhooks/${provider}`, body, { ...signature, ...options.headers });
  }

  /** Sends exactly this, signed or not. JSON unless a `content-type` says otherwise. */
  async post(path: string, body: WebhookBody, headers: Record<string, string> = {}): Promise<Answer> {
    const all = new Headers({ 'content-type': 'application/json' });
    for (const [name, value] of Object.entries(headers)) all.set(name, value);
    return answerOf(
      await fetch(this.url + path, { method: 'POST', headers: all, body: new Uint8Array(bytesOf(body)) }),
    );
  }
}

export interface StripeEvent {
  id: string;
  type: string;
  [field: string]: unknown;
}

/** A small event of Stripe's form. `object` is what it is about, which for `test.*` types tells the effect server what to do. */
export function stripeEvent(
  type = 'customer.created',
  { object = {}, ...fields }: { object?: object; [field: string]: unknown } = {},
): StripeEvent {
  const id = newEventId();
  return { id, object: 'event', created: unixNow(), type, data: { object }, ...fields };
}

export function newEventId(): string {
  return `evt_${randomBytes(12).toString('hex')}`;
}

export function unixNow(): number {
  return Math.floor(Date.now() / 1000);
}

export function bytesOf(body: WebhookBody): Buffer {
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}
