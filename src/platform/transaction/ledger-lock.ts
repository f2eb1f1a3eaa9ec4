/**
 * Whoever posts to the ledger locks this table first, see `TransactionOptions.lockTable`. It stands here for those who open
 * transactions in which others post and know no ledger themselves: the webhooks' processor, for handlers with `posts`.
 */
export const LEDGER_LOCK = 'ledger_writer';
