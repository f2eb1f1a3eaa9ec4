import { Injectable } from '@nestjs/common';
import { UnavailableError } from '../../../kernel/app-error.js';
import { type Coalescer, CoalescerFactory } from '../../../platform/coalescer/index.js';
import { isDatabaseUnavailable, isStatementTimeout } from '../../../platform/database/index.js';
import { LEDGER_LOCK, READ_COMMITTED, Transactor } from '../../../platform/transaction/index.js';
import { OperationsRepository } from '../providers/operations.repository.js';
import { type ChargeNews, ChargeReports } from './charge-reports.js';

/** Charges that settle in one transaction, at most. Everybody else who posts waits for it: some tens of milliseconds. */
export const SETTLED_TOGETHER = 100;

const MAX_QUEUED = 10_000;

/** A payment that somebody else has locked for a second settles alone: everybody who posts waits meanwhile. */
const WAIT_A_SECOND = `SELECT set_config('lock_timeout', '1000', true)`;

/** A charge that has succeeded, and the call whose answer said so. */
export interface SucceededCharge extends ChargeNews {
  readonly operation?: string | undefined;
}

/**
 * Settles what the answers of providers say has succeeded. Those of a moment settle together: each by itself took the ledger's
 * lock for as long as a hundred transfers together do.
 */
@Injectable()
export class ChargeSettling {
  private readonly coalescer: Coalescer<SucceededCharge, void>;

  constructor(
    coalescers: CoalescerFactory,
    private readonly transactor: Transactor,
    private readonly charges: ChargeReports,
    private readonly operations: OperationsRepository,
  ) {
    this.coalescer = coalescers.create<SucceededCharge, void>({
      name: 'payment_settlements',
      maxItems: SETTLED_TOGETHER,
      maxQueued: MAX_QUEUED,
      flush: async (succeeded) => {
        await this.settleAll(succeeded);
        return succeeded.map(() => ({ result: undefined }));
      },
      // Whatever is neither the database's absence nor a ledger that is held may be one charge's: it must not fail the others.
      splitOn: (error) =>
        !(error instanceof UnavailableError) && !isDatabaseUnavailable(error) && !isStatementTimeout(error),
    });
  }

  /** @returns once it is settled */
  settle(charge: SucceededCharge): Promise<void> {
    return this.coalescer.submit(charge);
  }

  /** Each statement decides on rows it has locked: the ledger's lock first, then the payments. */
  private async settleAll(charges: readonly SucceededCharge[]): Promise<void> {
    await this.transactor.run(
      async (tx) => {
        // Not for the ledger's lock, which the transaction has by now.
        await tx.query(WAIT_A_SECOND);
        await this.charges.applyAll(tx, charges);
        await this.operations.succeed(
          tx,
          charges.flatMap(({ operation }) => operation ?? []),
        );
      },
      { ...READ_COMMITTED, lockTable: LEDGER_LOCK },
    );
  }
}
