/** A query came through the `tx` of a transaction that has ended. */
export class TransactionEndedError extends Error {
  override readonly name = 'TransactionEndedError';

  constructor() {
    super('The transaction has ended; nothing can be read or written through it any more');
  }
}
