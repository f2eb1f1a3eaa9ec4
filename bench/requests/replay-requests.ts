import type { RequestSource } from './request-source.js';
import { TransferRequests } from './transfer-requests.js';
import type { TransferRun } from './planned-transfers.js';

const REPLAYED = /^x-idempotent-replay: true$/im;

/** Transfers that were made before, sent again in turn under their keys. */
export class ReplayRequests implements RequestSource {
  readonly count = Infinity;
  private readonly transfers: TransferRequests;

  /** @param bodies what the first answers were, of the first transfers of the run */
  constructor(
    transfers: TransferRun,
    private readonly bodies: readonly string[],
    target: { host: string; apiKey: string },
  ) {
    this.transfers = new TransferRequests(transfers, bodies.length, target);
  }

  newRequest(): Buffer {
    return this.transfers.newRequest();
  }

  writeInto(request: Buffer, index: number): void {
    this.transfers.writeInto(request, index % this.bodies.length);
  }

  accepts(index: number, status: number, head: string, body: string): boolean {
    return status === 201 && body === this.bodies[index % this.bodies.length] && REPLAYED.test(head);
  }
}
