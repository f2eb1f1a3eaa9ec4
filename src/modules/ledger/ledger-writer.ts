import { Injectable } from '@nestjs/common';
import { performance } from 'node:perf_hooks';
import type { EntityManager } from 'typeorm';
import { UnavailableError } from '../../kernel/app-error.js';
import { type Coalescer, CoalescerFactory, type Outcome } from '../../platform/coalescer/index.js';
import { isDatabaseUnavailable, isSerializationFailure, isStatementTimeout } from '../../platform/database/index.js';
import { IdempotencyRecords } from '../../platform/idempotency/index.js';
import { allEnded, LEDGER_LOCK, Transactor } from '../../platform/transaction/index.js';
import { AccountDirectory } from './account-directory.js';
import type { AccountRef } from './account.js';
import { LedgerBook } from './ledger-book.js';
import { LedgerMetrics } from './ledger-metrics.js';
import { ledgerHeld } from './ledger.errors.js';
import type { PostingRequest, Submission } from './posting.js';
import { SubmittedBatch } from './submitted-batch.js';

/** Postings a batch. Above a thousand the share of commit and round trips is lost in the rest: 2 of 35 µs each. */
const MAX_BATCH = 1000;
const MAX_QUEUED = 20_000;

/** With the lock nobody is in the way; this is for what else may touch the same rows. */
const ATTEMPTS = 8;

interface Committed {
  readonly outcomes: readonly Outcome<Submission>[];
  readonly met: readonly AccountRef[];
  /** How many holds were over. */
  readonly expired: number;
}

/**
 * Group commit: the requests of a moment are decided and committed as one transaction, in the order they came. One batch
 * at a time in this process, by the coalescer, and over all processes, by the lock.
 */
@Injectable()
export class LedgerWriter {
  private readonly coalescer: Coalescer<PostingRequest, Submission>;

  constructor(
    coalescers: CoalescerFactory,
    private readonly transactor: Transactor,
    private readonly records: IdempotencyRecords,
    private readonly book: LedgerBook,
    private readonly directory: AccountDirectory,
    private readonly metrics: LedgerMetrics,
  ) {
    this.coalescer = coalescers.create<PostingRequest, Submission>({
      name: 'ledger',
      maxItems: MAX_BATCH,
      maxQueued: MAX_QUEUED,
      weigh: ({ postings }) => postings.length,
      maxBatchWeight: MAX_BATCH,
      maxQueuedWeight: MAX_QUEUED,
      flush: (requests) => this.flush(requests),
      // Whatever is neither the database's absence nor a rival's doing may be one request's: it must not fail the others.
      splitOn: (error) =>
        !(error instanceof UnavailableError) && !isDatabaseUnavailable(error) && !isSerializationFailure(error),
    });
  }

  /** @returns once its batch has committed */
  submit(request: PostingRequest): Promise<Submission> {
    return this.coalescer.submit(request);
  }

  private async flush(requests: readonly PostingRequest[]): Promise<readonly Outcome<Submission>[]> {
    const started = performance.now();
    const { outcomes, met, expired } = await this.commit(requests);
    this.directory.learn(met);
    this.metrics.expired(expired);
    outcomes.forEach((outcome, index) => {
      if ('error' in outcome) return;
      this.metrics.settled(requests[index]?.postings ?? [], outcome.result.outcomes);
    });
    this.metrics.flushed((performance.now() - started) / 1000);
    return outcomes;
  }

  private async commit(requests: readonly PostingRequest[]): Promise<Committed> {
    const options = { attempts: ATTEMPTS, lockTable: LEDGER_LOCK, lane: 'group' } as const;
    try {
      return await this.transactor.run((tx) => this.carryOut(tx, requests), options);
    } catch (error) {
      if (!isStatementTimeout(error)) throw error;
      throw ledgerHeld(error);
    }
  }

  private async carryOut(tx: EntityManager, requests: readonly PostingRequest[]): Promise<Committed> {
    const batch = new SubmittedBatch(requests);
    const loading = this.book.load(tx, requests);
    const finding = batch.claims.length > 0 ? this.records.find(tx, batch.claims) : Promise.resolve([]);
    const [loaded, known] = await allEnded([loading, finding]);
    batch.know(known);
    const fresh = batch.fresh();
    if (fresh.length === 0) return { outcomes: batch.settle(undefined), met: loaded.met, expired: 0 };
    const createdAt = await this.book.carryOut(tx, loaded, fresh, async (outcomes) => {
      const completed = batch.answer(outcomes);
      return completed.length > 0 ? this.records.complete(tx, completed) : undefined;
    });
    return { outcomes: batch.settle(createdAt), met: loaded.met, expired: loaded.state.due.length };
  }
}
