/**
 * What a rival committed meanwhile is in the way of this transaction, and was invisible to it: like PostgreSQL's 40001, but found by
 * ourselves. The `Transactor` runs the work again, and it sees what is there.
 */
export class TransactionConflictError extends Error {
  override readonly name: string = 'TransactionConflictError';
}
