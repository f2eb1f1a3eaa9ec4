import { LedgerAccountRow } from './ledger-account.entity.js';
import { LedgerEntryRow } from './ledger-entry.entity.js';
import { LedgerHoldRow } from './ledger-hold.entity.js';
import { LedgerTransferRow } from './ledger-transfer.entity.js';

export {
  type AccountKey,
  type BalanceAt,
  type LedgerAccount,
  type SystemOwner,
  systemAccount,
  userAccount,
} from './account.js';
export type { Hold } from './hold.js';
export { type AccountId, type HoldId, isAccountId, isHoldId, isTransferId, type TransferId } from './ids.js';
export { type IntegrityReport, LedgerIntegrity } from './integrity/ledger-integrity.js';
export { BatchRejectedError } from './ledger.errors.js';
export { LedgerModule } from './ledger.module.js';
export { LedgerPostings, type PostedEntry } from './ledger-postings.repository.js';
export { type JoinedRequest, Ledger } from './ledger.js';
export {
  PAYMENT_CATEGORY,
  type Posting,
  type PostingOutcome,
  type PostingRequest,
  type Submission,
} from './posting.js';
export type { PostedTransfer } from './transfer.js';

export const LEDGER_ENTITIES = [LedgerAccountRow, LedgerTransferRow, LedgerEntryRow, LedgerHoldRow];
