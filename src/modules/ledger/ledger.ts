import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { decodeCursor, type Page, pageOf } from '../../kernel/cursor.js';
import type { RequestContext } from '../../platform/auth/index.js';
import { type Coalescer, CoalescerFactory } from '../../platform/coalescer/index.js';
import { isUniqueViolation, TransactionConflictError } from '../../platform/database/index.js';
import { isKept } from '../../platform/idempotency/index.js';
import { holdsLock, LEDGER_LOCK } from '../../platform/transaction/index.js';
import type { AccountKey, AccountStatus, BalanceAt, LedgerAccount } from './account.js';
import { checkPosting, isOwner } from './check-posting.js';
import type { Hold } from './hold.js';
import type { HoldId, TransferId } from './ids.js';
import type { Freezable } from './accounts.repository.js';
import { LedgerAccounts } from './ledger-accounts.js';
import { LedgerBook } from './ledger-book.js';
import { LedgerPast } from './ledger-past.js';
import { LedgerReadsRepository } from './ledger-reads.repository.js';
import { LedgerWriter } from './ledger-writer.js';
import type { Posting, PostingOutcome, PostingRequest, Submission } from './posting.js';
import { type PostedTransfer, type StatementLine, statementLine } from './transfer.js';

/** Reads of one moment that go to the database as one statement. */
const MAX_READS = 200;
const MAX_QUEUED_READS = 20_000;
const CONCURRENT_READS = 4;

/** Of a request inside somebody's own transaction, who keeps the answer to it himself. */
export type JoinedRequest = Pick<PostingRequest, 'postings' | 'mode' | 'by' | 'onlyOwner'>;

/** Double entry bookkeeping: every movement is a transfer between two accounts of one currency. */
@Injectable()
export class Ledger {
  private readonly accounts: Coalescer<AccountKey, LedgerAccount | undefined>;

  constructor(
    coalescers: CoalescerFactory,
    private readonly writer: LedgerWriter,
    private readonly book: LedgerBook,
    private readonly openings: LedgerAccounts,
    private readonly reads: LedgerReadsRepository,
    private readonly past: LedgerPast,
  ) {
    this.accounts = coalescers.create({
      name: 'ledger_reads',
      maxItems: MAX_READS,
      maxQueued: MAX_QUEUED_READS,
      concurrency: CONCURRENT_READS,
      flush: async (keys) => (await this.reads.accounts(keys)).map((result) => ({ result })),
    });
  }

  /**
   * Posts in a transaction of its own, together with what else comes in at the moment. Refusals are outcomes, not errors.
   *
   * @returns once it has committed, or at once when the whole request is refused whatever the accounts hold
   * @throws AlreadyAnsweredError for a repeat, IdempotencyKeyReusedError (422), IdempotencyKeyInUseError (409); CoalescerFullError and the database's errors
   *   (503), after which the request may have been committed or not: the same key asked again tells which
   */
  async submit(request: PostingRequest): Promise<Submission> {
    const { postings, onlyOwner, claim } = request;
    const outcomes = refusedAnyway(postings, onlyOwner);
    if (outcomes) {
      const answer = request.answer?.(outcomes);
      if (!claim || (answer !== undefined && !isKept(answer.status))) return { outcomes, answer };
    }
    return this.writer.submit(request);
  }

  /**
   * Posts inside the caller's transaction: it is there when that commits, and gone when that rolls back.
   *
   * All who post do it one after the other: from here to its end this transaction holds the lock of the ledger, so let it
   * end soon. Open it READ COMMITTED; or SERIALIZABLE with `lockTable: LEDGER_LOCK`, or its first attempt fails whenever
   * anything was posted to the same accounts since its first read.
   */
  async post(tx: EntityManager, request: JoinedRequest): Promise<readonly PostingOutcome[]> {
    const [outcomes] = await this.postAll(tx, [request]);
    return outcomes ?? [];
  }

  /** The same of several requests, in their order: each is decided for itself, and all are written together. */
  async postAll(
    tx: EntityManager,
    requests: readonly JoinedRequest[],
  ): Promise<readonly (readonly PostingOutcome[])[]> {
    if (!holdsLock(tx, LEDGER_LOCK)) await tx.query(`LOCK TABLE ${LEDGER_LOCK} IN EXCLUSIVE MODE`);
    try {
      const loaded = await this.book.load(tx, requests);
      return await this.book.carryOut(tx, loaded, requests, async (outcomes) => outcomes);
    } catch (error) {
      if (isUniqueViolation(error)) throw new TransactionConflictError('A rival posted the same', { cause: error });
      throw error;
    }
  }

  /**
   * Opens an account in the caller's transaction, or answers the one there is, as it is.
   *
   * @throws UnknownCurrencyError (400), ValidationError (400) for an impossible owner
   */
  async openAccount(
    tx: EntityManager,
    { allowNegative = false, ...key }: AccountKey & { readonly allowNegative?: boolean },
    by: RequestContext,
  ): Promise<{ account: LedgerAccount; created: boolean }> {
    const created = await this.openings.open(tx, key, allowNegative, by);
    const [account] = await this.reads.accounts([key], tx);
    if (!account) throw new Error('An account that was opened is not there');
    return { account, created };
  }

  /**
   * Freezes or thaws a user's account, or all accounts of a user, in the caller's transaction (READ COMMITTED).
   *
   * @param reason why, for the audit log
   * @returns those accounts as they are then; none when there are none
   */
  async setStatus(
    tx: EntityManager,
    which: Freezable,
    status: AccountStatus,
    by: RequestContext,
    reason: string,
  ): Promise<LedgerAccount[]> {
    const keys = await this.openings.setStatus(tx, which, status, by, reason);
    const accounts = await this.reads.accounts(keys, tx);
    return accounts.filter((account) => account !== undefined);
  }

  /** As last committed; undefined when there is no such account. */
  async account(key: AccountKey): Promise<LedgerAccount | undefined> {
    return isOwner(key.owner) ? this.accounts.submit(key) : undefined;
  }

  /**
   * At the end of the millisecond `at`. The answer is final: it waits for whoever may still commit something of that time,
   * so never ask inside a transaction that has posted.
   *
   * @returns undefined when there is no such account
   * @throws ValidationError (400) for a time that is still to come, by the database's clock
   */
  async balanceAt(key: AccountKey, at: Date): Promise<BalanceAt | undefined> {
    if (!isOwner(key.owner)) return undefined;
    await this.past.close(at);
    return this.reads.balanceAt(key, at);
  }

  /**
   * What moved on an account, newest first; undefined when there is no such account.
   *
   * @throws ValidationError (400) for a cursor of another list
   */
  async statement(
    key: AccountKey,
    { limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<Page<StatementLine> | undefined> {
    if (!isOwner(key.owner)) return undefined;
    const before = cursor === undefined ? null : decodeCursor(cursor, { sequence: 'integer' }).sequence;
    const lines = (await this.reads.statement(key, before, limit + 1))?.map((transfer) => statementLine(transfer, key));
    return (
      lines &&
      pageOf(
        lines,
        limit,
        ({ sequence }) => ({ sequence }),
        (line) => line,
      )
    );
  }

  /** Undefined when there is none with this id. */
  transfer(id: TransferId): Promise<PostedTransfer | undefined> {
    return this.reads.transfer(id);
  }

  /**
   * Undefined when there is none with this id. One that has not been tidied away since its time was over is EXPIRED only
   * once nobody can commit any more that it was captured in time: so never ask inside a transaction that has posted.
   */
  async hold(id: HoldId): Promise<Hold | undefined> {
    const found = await this.reads.hold(id);
    if (!found?.isOver) return found?.hold;
    await this.past.close(found.hold.expiresAt);
    const closed = await this.reads.hold(id);
    return closed?.isOver ? { ...closed.hold, status: 'EXPIRED', resolvedAt: closed.hold.expiresAt } : closed?.hold;
  }
}

/** The refusals, if nothing of it depends on the state. */
function refusedAnyway(postings: readonly Posting[], onlyOwner: string | undefined): PostingOutcome[] | undefined {
  const outcomes: PostingOutcome[] = [];
  for (const posting of postings) {
    const refused = checkPosting(posting, onlyOwner);
    if (!refused) return undefined;
    outcomes.push({ refused });
  }
  return outcomes;
}
