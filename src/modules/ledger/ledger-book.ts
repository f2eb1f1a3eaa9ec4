import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { newId } from '../../kernel/ids.js';
import { allEnded } from '../../platform/transaction/index.js';
import { AuditLog, type NewAuditLine } from '../audit/index.js';
import type { AccountRef } from './account.js';
import { LEDGER_ACTOR } from './decide-debt.js';
import { type Decidable, decide, type Decision } from './decide.js';
import type { HoldId } from './ids.js';
import type { LoadedLedger } from './ledger-state.js';
import type { PostingOutcome } from './posting.js';
import { auditLines, type Carried, carriedUnasked, EXPIRY, openedLine } from './posting-audit.js';
import { PostingRepository } from './posting.repository.js';
import { StateRepository } from './state.repository.js';
import { wantedBy, wantedHolds } from './wanted.js';

const SYSTEM = { actor: LEDGER_ACTOR };

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
   * Tidies away holds whose time is over, and with them what else is due on their accounts.
   *
   * @returns how many
   */
  async expire(tx: EntityManager, holds: ReadonlySet<HoldId>): Promise<number> {
    const loaded = await this.states.load(tx, wantedHolds(holds));
    await this.carryOut(tx, loaded, [], async () => undefined);
    return loaded.state.due.length;
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
      attempt(() => this.audit.record(tx, linesOf(requests, decision, opened))),
    ]);
    return result;
  }
}

function linesOf(
  requests: readonly Decidable[],
  { outcomes, expired, unasked }: Decision,
  opened: readonly AccountRef[],
): NewAuditLine[] {
  const carried: Carried[] = requests.map((request, index) => ({ request, outcomes: outcomes[index] ?? [] }));
  if (expired.length > 0) {
    carried.push({
      request: { postings: expired.map(() => EXPIRY), by: SYSTEM },
      outcomes: expired.map((held) => ({ held })),
    });
  }
  carried.push(...unasked.map(carriedUnasked));
  return [...opened.map((account) => openedLine(account, SYSTEM)), ...auditLines(carried)];
}

/** What `work` throws at once becomes a rejection as well. */
async function attempt<Result>(work: () => Promise<Result>): Promise<Result> {
  return work();
}
