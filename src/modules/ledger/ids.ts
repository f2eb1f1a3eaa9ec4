import { type Branded, isUuid } from '../../kernel/ids.js';

export type AccountId = Branded<'AccountId'>;
export type TransferId = Branded<'TransferId'>;
export type HoldId = Branded<'HoldId'>;

/** Whether a text from outside may be the id of an account. */
export function isAccountId(text: string): text is AccountId {
  return isUuid(text);
}

/** Whether a text from outside may be the id of a transfer; if there is one, the ledger knows. */
export function isTransferId(text: string): text is TransferId {
  return isUuid(text);
}

/** Whether a text from outside may be the id of a hold. */
export function isHoldId(text: string): text is HoldId {
  return isUuid(text);
}
