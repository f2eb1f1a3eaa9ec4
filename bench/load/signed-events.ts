import { createHash, createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import { stripeSample } from '../../src/modules/webhooks/providers/samples/stripe.sample.js';

const ID_BYTES = 28;
const SIGNATURE_BYTES = 64;
const PLACEHOLDER = 'evt_'.padEnd(ID_BYTES, '0');

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
  return JSON.stringify(stripeSample('payment_intent.succeeded', PLACEHOLDER, timestamp).body, null, 2).replace(
    PLACEHOLDER,
    eventId,
  );
}

/**
 * Requests that differ in the event's id and the signature only. Those are made before the clock runs and kept, 92 bytes an
 * event; each connection has one request's bytes and writes them in.
 */
export class SignedEvents {
  private readonly idsAndSignatures: Buffer;
  private readonly template: Buffer;
  private readonly idAt: number;
  private readonly signatureAt: number;

  constructor(
    run: string,
    readonly count: number,
    target: { host: string; secret: string },
  ) {
    const timestamp = Math.floor(Date.now() / 1000);
    const body = eventBody(PLACEHOLDER, timestamp);
    const head = headOf(target.host, timestamp, Buffer.byteLength(body));
    this.template = Buffer.from(head + body, 'latin1');
    this.signatureAt = head.indexOf('v1=') + 'v1='.length;
    this.idAt = head.length + body.indexOf(PLACEHOLDER);
    this.idsAndSignatures = sign(run, count, `${timestamp}.${body}`, createSecretKey(Buffer.from(target.secret)));
  }

  /** A request's bytes for one connection to write into. */
  newRequest(): Buffer {
    return Buffer.from(this.template);
  }

  /** Makes `request` the one of the event with this number. */
  writeInto(request: Buffer, index: number): void {
    const start = index * (ID_BYTES + SIGNATURE_BYTES);
    this.idsAndSignatures.copy(request, this.idAt, start, start + ID_BYTES);
    this.idsAndSignatures.copy(request, this.signatureAt, start + ID_BYTES, start + ID_BYTES + SIGNATURE_BYTES);
  }
}

function headOf(host: string, timestamp: number, bodyBytes: number): string {
  return [
    'POST /webhooks/stripe HTTP/1.1',
    `Host: ${host}`,
    'User-Agent: Stripe/1.0 (+https://stripe.com/docs/webhooks)',
    'Content-Type: application/json; charset=utf-8',
    'Accept: */*; q=0.5, application/xml',
    'Cache-Control: no-cache',
    `Stripe-Signature: t=${timestamp},v1=${'0'.repeat(SIGNATURE_BYTES)}`,
    `Content-Length: ${bodyBytes}`,
    '\r\n',
  ].join('\r\n');
}

/** https://docs.stripe.com/webhooks/signature */
function sign(run: string, count: number, signedText: string, key: KeyObject): Buffer {
  const made = Buffer.allocUnsafe(count * (ID_BYTES + SIGNATURE_BYTES));
  const signed = Buffer.from(signedText);
  const idAt = signed.indexOf(PLACEHOLDER);
  for (let index = 0, at = 0; index < count; index++) {
    const id = eventIdOf(run, index);
    signed.write(id, idAt, 'latin1');
    at += made.write(id, at, 'latin1');
    at += made.write(createHmac('sha256', key).update(signed).digest('hex'), at, 'latin1');
  }
  return made;
}
