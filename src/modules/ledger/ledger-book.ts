import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { newId } from '../../kernel/ids.js';
import { AuditLog } from '../audit/index.js';
import type { AccountRef } from './account.js';
import { type Decidable, decide } from './decide.js';
import type { LedgerState } from './ledger-state.js';
import type { PostingOutcome } from './posting.js';
import { auditLines, openedLine } from './posting-audit.js';
import { PostingRepository } from './posting.repository.js';
import { StateRepository } from './state.repository.js';
import { wantedBy } from './wanted.js';

/** Postings decided, and on their way into the database. */
export interface Booking {
  /** Of each request, of each of its postings. */
  readonly outcomes: readonly (readonly PostingOutcome[])[];
  /** Accounts it met: worth remembering once the transaction has committed. */
  readonly accounts: Iterable<AccountRef>;
  /** Settles when all rows are written. */
  readonly written: Promise<void>;
}

/** Loads, decides and writes, inside the transaction of whoever asks. */
@Injectable()
export class LedgerBook {
  constructor(
    private readonly states: StateRepository,
    private readonly postings: PostingRepository,
    private readonly audit: AuditLog,
  ) {}

  /** Returns while the rows are being written: PostgreSQL works on them as the caller renders its answers. */
  async book(tx: EntityManager, requests: readonly Decidable[]): Promise<Booking> {
    const { state, opened } = await this.states.load(tx, wantedBy(requests));
    const decision = decide(state, requests, newId);
    const carried = requests.map((request, index) => ({ request, outcomes: decision.outcomes[index] ?? [] }));
    const written = this.postings.write(tx, decision).then(() => {
      const lines = [...opened.map((account) => openedLine(account, SYSTEM)), ...auditLines(carried)];
      return this.audit.record(tx, lines);
    });
    // Whoever renders in between may throw first; the failure is told to whoever awaits `written`.
    written.catch(() => undefined);
    return { outcomes: decision.outcomes, accounts: accountsOf(state), written };
  }
}

const SYSTEM = { actor: 'system:ledger' };

function* accountsOf({ accounts }: LedgerState): Iterable<AccountRef> {
  for (const { ref } of accounts.values()) yield ref;
}
