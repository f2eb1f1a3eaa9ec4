import { Module } from '@nestjs/common';
import { CoalescerModule } from '../../platform/coalescer/index.js';
import { AuditModule } from '../audit/index.js';
import { AccountDirectory } from './account-directory.js';
import { AccountsRepository } from './accounts.repository.js';
import { DebtsRepository } from './debts.repository.js';
import { HoldSweep } from './hold-sweep.js';
import { LedgerIntegrity } from './integrity/ledger-integrity.js';
import { LedgerAccounts } from './ledger-accounts.js';
import { LedgerBook } from './ledger-book.js';
import { LedgerMetrics } from './ledger-metrics.js';
import { LedgerPostings } from './ledger-postings.repository.js';
import { LedgerPast } from './ledger-past.js';
import { LedgerPastRepository } from './ledger-past.repository.js';
import { LedgerReadsRepository } from './ledger-reads.repository.js';
import { LedgerWriter } from './ledger-writer.js';
import { Ledger } from './ledger.js';
import { PostingRepository } from './posting.repository.js';
import { StateRepository } from './state.repository.js';

/** Double entry bookkeeping by group commit: docs/ledger.md. */
@Module({
  imports: [CoalescerModule, AuditModule],
  providers: [
    Ledger,
    LedgerAccounts,
    LedgerWriter,
    LedgerBook,
    LedgerIntegrity,
    LedgerMetrics,
    LedgerPast,
    LedgerPastRepository,
    LedgerPostings,
    LedgerReadsRepository,
    AccountDirectory,
    AccountsRepository,
    DebtsRepository,
    StateRepository,
    PostingRepository,
    HoldSweep,
  ],
  exports: [Ledger, LedgerIntegrity, LedgerPostings],
})
export class LedgerModule {}
