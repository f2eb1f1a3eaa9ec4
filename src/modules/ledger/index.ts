import { LedgerAccountRow } from './ledger-account.entity.js';
import { LedgerEntryRow } from './ledger-entry.entity.js';
import { LedgerHoldRow } from './ledger-hold.entity.js';
import { LedgerTransferRow } from './ledger-transfer.entity.js';

export {
  type AccountKey,
  type AccountKind,
  type AccountStatus,
  type BalanceAt,
  type LedgerAccount,
  SYSTEM_OWNERS,
  type SystemOwner,
  systemAccount,
  userAccount,
} from './account.js';
export type { Hold, HoldStatus } from './hold.js';
export { type IntegrityReport, LedgerIntegrity, type Violation } from './integrity/ledger-integrity.js';
export { LEDGER_LOCK } from './ledger-writer.js';
export { BatchRejectedError, InsufficientFundsError } from './ledger.errors.js';
export { LedgerModule } from './ledger.module.js';
export { type JoinedRequest, Ledger } from './ledger.js';
export type { Posting, PostingOutcome, PostingRequest, Submission, TransferNote } from './posting.js';
export type { PostedTransfer, StatementLine, TransferKind } from './transfer.js';

export const LEDGER_ENTITIES = [LedgerAccountRow, LedgerTransferRow, LedgerEntryRow, LedgerHoldRow];
