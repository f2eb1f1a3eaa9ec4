import { apiHeaders, httpRequest } from './http-request.js';
import { keyOf, plannedTransfer, type TransferRun } from './planned-transfers.js';
import { RequestForm } from './request-form.js';
import type { RequestSource } from './request-source.js';
import { CURRENCY, userId } from './users.js';

const KEY = '00000000-0000-0000-0000-000000000000';

/** Batches of transfers, all or none, each batch under a key. */
export class BatchRequests implements RequestSource {
  private readonly form: RequestForm;

  /** @param size transfers in a batch, 1 to 1,000 */
  constructor(
    transfers: TransferRun,
    readonly count: number,
    size: number,
    { host, apiKey }: { host: string; apiKey: string },
  ) {
    const bodyOf = (batch: number) =>
      JSON.stringify({
        mode: 'atomic',
        transfers: Array.from({ length: size }, (_, n) => {
          const { from, to, amount } = plannedTransfer(transfers, batch * size + n);
          return { fromUserId: userId(from), toUserId: userId(to), amount, currency: CURRENCY };
        }),
      });
    const body = bodyOf(0);
    const text = httpRequest({
      line: 'POST /api/wallet/transfers/batch',
      host,
      headers: { ...apiHeaders(apiKey), 'Idempotency-Key': KEY },
      body,
    });
    this.form = new RequestForm(text, [KEY, body], count, (batch) => [keyOf(transfers.run, batch), bodyOf(batch)]);
  }

  newRequest(): Buffer {
    return this.form.newRequest();
  }

  writeInto(request: Buffer, index: number): void {
    this.form.writeInto(request, index);
  }

  /** Of an atomic batch 201 says that all were posted. */
  accepts(_index: number, status: number): boolean {
    return status === 201;
  }
}
