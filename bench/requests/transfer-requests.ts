import { apiHeaders, httpRequest } from './http-request.js';
import { keyOf, plannedTransfer, type TransferRun } from './planned-transfers.js';
import { RequestForm } from './request-form.js';
import type { RequestSource } from './request-source.js';
import { CURRENCY, userId } from './users.js';

const KEY = '00000000-0000-0000-0000-000000000000';
const FROM = 'user-_from';
const TO = 'user-___to';
const AMOUNT = 999;

/** Single transfers, each under a key of its own. */
export class TransferRequests implements RequestSource {
  private readonly form: RequestForm;

  constructor(
    transfers: TransferRun,
    readonly count: number,
    { host, apiKey }: { host: string; apiKey: string },
  ) {
    const text = httpRequest({
      line: 'POST /api/wallet/transfers',
      host,
      headers: { ...apiHeaders(apiKey), 'Idempotency-Key': KEY },
      body: JSON.stringify({ fromUserId: FROM, toUserId: TO, amount: AMOUNT, currency: CURRENCY }),
    });
    this.form = new RequestForm(text, [KEY, FROM, TO, `"amount":${AMOUNT}`], count, (index) => {
      const { from, to, amount } = plannedTransfer(transfers, index);
      return [keyOf(transfers.run, index), userId(from), userId(to), `"amount":${amount}`];
    });
  }

  newRequest(): Buffer {
    return this.form.newRequest();
  }

  writeInto(request: Buffer, index: number): void {
    this.form.writeInto(request, index);
  }

  accepts(_index: number, status: number): boolean {
    return status === 201;
  }
}
