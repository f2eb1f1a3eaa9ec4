import type { EntityManager } from 'typeorm';
import { READ_COMMITTED, type Transactor } from '../../../platform/transaction/index.js';
import type { SystemOwner } from '../../ledger/index.js';
import { clearingOwner } from '../payment-books.js';
import type { Reconciliation } from './reconciliation.entity.js';
import type { RunRef } from './movements.repository.js';
import type { ReconciliationsRepository } from './reconciliations.repository.js';

/** Another attempt works on the run, because this one was taken for dead; or it is over. */
export class ReconciliationTakenOverError extends Error {
  override readonly name = 'ReconciliationTakenOverError';

  constructor(id: string) {
    super(`Another attempt has taken over the reconciliation ${id}`);
  }
}

/** One attempt at a run: what it works on, and its only way to write. */
export class ReconciliationAttempt {
  constructor(
    readonly run: Reconciliation,
    /** Aborted when it is to end. */
    readonly signal: AbortSignal,
    private readonly worker: string,
    private readonly transactor: Transactor,
    private readonly runs: ReconciliationsRepository,
  ) {}

  get ref(): RunRef {
    return this.run;
  }

  /** The account that mirrors what the provider holds. */
  get clearing(): SystemOwner {
    return clearingOwner(this.run.provider, this.run.mode);
  }

  /** READ COMMITTED. @throws ReconciliationTakenOverError, and the signal's reason */
  save<Saved>(work: (tx: EntityManager) => Promise<Saved>): Promise<Saved> {
    this.signal.throwIfAborted();
    return this.transactor.run(async (tx) => {
      if (!(await this.runs.hold(tx, this.run.id, this.worker))) throw new ReconciliationTakenOverError(this.run.id);
      return work(tx);
    }, READ_COMMITTED);
  }
}
