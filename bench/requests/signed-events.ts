import { createHash, createHmac, createSecretKey } from 'node:crypto';
import { stripeSample } from '../../src/modules/webhooks/providers/samples/stripe.sample.js';
import { httpRequest } from './http-request.js';
import { RequestForm } from './request-form.js';
import type { RequestSource } from './request-source.js';

const ID = 'evt_'.padEnd(28, '0');
const SIGNATURE = 'f'.repeat(64);

/**
 * The id of the event with this number in a run, laid out as Stripe's are: what is the same for all events of a time and an
 * account comes first, the rest is random. `webhooks/verify-intake.ts` computes the same in SQL.
 *
 * @param run 8 letters and digits
 */
export function eventIdOf(run: string, index: number): string {
  return `evt_${run}${createHash('md5').update(`${run}:${index}`).digest('hex').slice(0, 16)}`;
}

/** A payment intent that succeeded, indented as Stripe sends it: 1088 bytes, whatever the id. */
export function eventBody(eventId: string, timestamp: number): string {
  return JSON.stringify(stripeSample('payment_intent.succeeded', ID, timestamp).body, null, 2).replace(ID, eventId);
}

/** New events, signed with the source's secret before any clock runs. */
export class SignedEvents implements RequestSource {
  private readonly form: RequestForm;

  constructor(
    run: string,
    readonly count: number,
    target: { host: string; secret: string },
  ) {
    const timestamp = Math.floor(Date.now() / 1000);
    const body = eventBody(ID, timestamp);
    const text = httpRequest({
      line: 'POST /webhooks/stripe',
      host: target.host,
      headers: {
        'User-Agent': 'Stripe/1.0 (+https://stripe.com/docs/webhooks)',
        'Content-Type': 'application/json; charset=utf-8',
        Accept: '*/*; q=0.5, application/xml',
        'Cache-Control': 'no-cache',
        'Stripe-Signature': `t=${timestamp},v1=${SIGNATURE}`,
      },
      body,
    });
    const sign = signer(`${timestamp}.${body}`, target.secret);
    this.form = new RequestForm(text, [ID, SIGNATURE], count, (index) => {
      const id = eventIdOf(run, index);
      return [id, sign(id)];
    });
  }

  newRequest(): Buffer {
    return this.form.newRequest();
  }

  writeInto(request: Buffer, index: number): void {
    this.form.writeInto(request, index);
  }

  accepts(_index: number, status: number, _head: string, body: string): boolean {
    return status === 200 && body.includes('"status":"accepted"');
  }
}

/** https://docs.stripe.com/webhooks/signature */
function signer(signedText: string, secret: string): (eventId: string) => string {
  const key = createSecretKey(Buffer.from(secret));
  const signed = Buffer.from(signedText);
  const idAt = signed.indexOf(ID);
  return (eventId) => {
    signed.write(eventId, idAt, 'latin1');
    return createHmac('sha256', key).update(signed).digest('hex');
  };
}
