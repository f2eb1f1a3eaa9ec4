import { apiHeaders, httpRequest } from './http-request.js';
import { keyOf } from './planned-transfers.js';
import { RequestForm } from './request-form.js';
import type { RequestSource } from './request-source.js';
import { CURRENCY, USERS, userId } from './users.js';

const KEY = '00000000-0000-0000-0000-000000000000';
const USER = 'user-_____';
const REFERENCE = 'order-________________';
/** One with which the sandbox does nothing odd. */
export const PAYMENT_AMOUNT = 777;

/** The caller's own name of a payment; always 22 bytes. @param run of eight letters and digits */
export function orderOf(run: string, index: number): string {
  return `order-${run}${String(index).padStart(8, '0')}`;
}

/** Payments that the sandbox's bank makes at once, of one user after the other, each under a key of its own. */
export class PaymentRequests implements RequestSource {
  private readonly form: RequestForm;

  constructor(
    run: string,
    readonly count: number,
    { host, apiKey }: { host: string; apiKey: string },
  ) {
    const text = httpRequest({
      line: 'POST /api/payments',
      host,
      headers: { ...apiHeaders(apiKey), 'Idempotency-Key': KEY },
      body: JSON.stringify({
        userId: USER,
        amount: PAYMENT_AMOUNT,
        currency: CURRENCY,
        provider: 'sandbox',
        reference: REFERENCE,
      }),
    });
    this.form = new RequestForm(text, [KEY, USER, REFERENCE], count, (index) => [
      keyOf(run, index),
      userId(index % USERS),
      orderOf(run, index),
    ]);
  }

  newRequest(): Buffer {
    return this.form.newRequest();
  }

  writeInto(request: Buffer, index: number): void {
    this.form.writeInto(request, index);
  }

  accepts(_index: number, status: number, _head: string, body: string): boolean {
    return status === 201 && body.includes('"status":"succeeded"') && body.includes('"settledTo":"wallet"');
  }
}
