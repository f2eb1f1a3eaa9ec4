import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { newId } from '../../kernel/ids.js';
import { AuditLog, type NewAuditLine } from '../audit/index.js';
import type { AccountRef } from './account.js';
import { allEnded } from './all-ended.js';
import { type Decidable, decide } from './decide.js';
import type { LoadedLedger } from './ledger-state.js';
import type { PostingOutcome } from './posting.js';
import { auditLines, openedLine } from './posting-audit.js';
import { PostingRepository } from './posting.repository.js';
import { StateRepository } from './state.repository.js';
import { wantedBy } from './wanted.js';

const SYSTEM = { actor: 'system:ledger' };

/** Loads, decides and writes, inside the transaction of whoever asks. */
@Injectable()
export class LedgerBook {
  constructor(
    private readonly states: StateRepository,
    private readonly postings: PostingRepository,
    private readonly audit: AuditLog,
  ) {}

  load(tx: EntityManager, requests: readonly Decidable[]): Promise<LoadedLedger> {
    return this.states.load(tx, wantedBy(requests));
  }

  /**
   * Decides requests whose state is loaded, and writes what comes of it.
   *
   * @param meanwhile is called with the outcomes once the rows are on their way: it renders while PostgreSQL writes. What
   *   it throws fails the whole
   * @returns what `meanwhile` returned
   */
  async carryOut<Result>(
    tx: EntityManager,
    { state, opened }: LoadedLedger,
    requests: readonly Decidable[],
    meanwhile: (outcomes: readonly (readonly PostingOutcome[])[]) => Promise<Result>,
  ): Promise<Result> {
    const decision = decide(state, requests, newId);
    const { outcomes } = decision;
    const writing = this.postings.write(tx, decision);
    // Gives way once, so that the rows are on the wire before anything is rendered.
    await Promise.resolve();
    const [, result] = await allEnded([
      writing,
      attempt(() => meanwhile(outcomes)),
      attempt(() => this.audit.record(tx, linesOf(requests, outcomes, opened))),
    ]);
    return result;
  }
}

function linesOf(
  requests: readonly Decidable[],
  outcomes: readonly (readonly PostingOutcome[])[],
  opened: readonly AccountRef[],
): NewAuditLine[] {
  const carried = requests.map((request, index) => ({ request, outcomes: outcomes[index] ?? [] }));
  return [...opened.map((account) => openedLine(account, SYSTEM)), ...auditLines(carried)];
}

/** What `work` throws at once becomes a rejection as well. */
async function attempt<Result>(work: () => Promise<Result>): Promise<Result> {
  return work();
}
