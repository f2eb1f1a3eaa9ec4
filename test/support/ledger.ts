import type { DataSource } from 'typeorm';
import type { Currency } from '../../src/kernel/currency.js';
import { Money } from '../../src/kernel/money.js';
import { AuditLog } from '../../src/modules/audit/index.js';
import { AccountDirectory } from '../../src/modules/ledger/account-directory.js';
import { AccountsRepository } from '../../src/modules/ledger/accounts.repository.js';
import { DebtsRepository } from '../../src/modules/ledger/debts.repository.js';
import { HoldSweep } from '../../src/modules/ledger/hold-sweep.js';
import {
  type AccountKey,
  Ledger,
  LedgerIntegrity,
  type Posting,
  type PostingOutcome,
  type PostingRequest,
  systemAccount,
  userAccount,
} from '../../src/modules/ledger/index.js';
import { LedgerAccounts } from '../../src/modules/ledger/ledger-accounts.js';
import { LedgerBook } from '../../src/modules/ledger/ledger-book.js';
import { LedgerMetrics } from '../../src/modules/ledger/ledger-metrics.js';
import { LedgerPast } from '../../src/modules/ledger/ledger-past.js';
import { LedgerPastRepository } from '../../src/modules/ledger/ledger-past.repository.js';
import { LedgerReadsRepository } from '../../src/modules/ledger/ledger-reads.repository.js';
import { LedgerWriter } from '../../src/modules/ledger/ledger-writer.js';
import { PostingRepository } from '../../src/modules/ledger/posting.repository.js';
import { StateRepository } from '../../src/modules/ledger/state.repository.js';
import { CoalescerFactory } from '../../src/platform/coalescer/index.js';
import { createDataSource } from '../../src/platform/database/index.js';
import { IdempotencyRecords } from '../../src/platform/idempotency/index.js';
import { Metrics } from '../../src/platform/metrics/index.js';
import { READ_COMMITTED, Transactor } from '../../src/platform/transaction/index.js';

export const BY = { actor: 'api-key:test', requestId: 'req-1', ip: '10.0.0.1' };

/** The ledger of one process, on a pool of its own. */
export class TestLedger {
  private constructor(
    readonly dataSource: DataSource,
    readonly transactor: Transactor,
    readonly metrics: Metrics,
    readonly ledger: Ledger,
    readonly integrity: LedgerIntegrity,
    readonly sweep: HoldSweep,
    private readonly coalescers: CoalescerFactory,
  ) {}

  static async open(url: string, { statementTimeoutMs = 30_000 } = {}): Promise<TestLedger> {
    const dataSource = await createDataSource(
      url,
      { entities: [], migrations: [] },
      { poolSize: 8, poolTimeoutMs: 10_000, statementTimeoutMs },
    ).initialize();
    const metrics = new Metrics();
    const transactor = new Transactor(dataSource, metrics);
    const coalescers = new CoalescerFactory(metrics);
    const audit = new AuditLog();
    const directory = new AccountDirectory();
    const accounts = new AccountsRepository();
    const reads = new LedgerReadsRepository(dataSource);
    const ledgerMetrics = new LedgerMetrics(metrics);
    const states = new StateRepository(directory, accounts, new DebtsRepository(accounts));
    const book = new LedgerBook(states, new PostingRepository(), audit);
    const records = new IdempotencyRecords({ IDEMPOTENCY_TTL_HOURS: 24 });
    const writer = new LedgerWriter(coalescers, transactor, records, book, directory, ledgerMetrics);
    const openings = new LedgerAccounts(accounts, audit);
    return new TestLedger(
      dataSource,
      transactor,
      metrics,
      new Ledger(
        coalescers,
        writer,
        book,
        openings,
        reads,
        new LedgerPast(coalescers, new LedgerPastRepository(dataSource)),
      ),
      new LedgerIntegrity(transactor, ledgerMetrics),
      new HoldSweep({ SWEEP_INTERVAL_MS: 1000 }, reads, transactor, book, ledgerMetrics),
      coalescers,
    );
  }

  async close(): Promise<void> {
    await this.coalescers.onApplicationShutdown();
    await this.dataSource.destroy();
  }

  /** Posts one thing by itself. */
  async post(posting: Posting, request: Partial<PostingRequest> = {}): Promise<PostingOutcome> {
    const { outcomes } = await this.ledger.submit({ postings: [posting], mode: 'atomic', by: BY, ...request });
    const [outcome] = outcomes;
    if (!outcome) throw new Error('The posting has no outcome');
    return outcome;
  }

  open(account: AccountKey & { readonly allowNegative?: boolean }): ReturnType<Ledger['openAccount']> {
    return this.transactor.run((tx) => this.ledger.openAccount(tx, account, BY), READ_COMMITTED);
  }

  /** Opens a user's account and brings money into it. */
  async fund(owner: string, amount: bigint | number, currency: Currency = 'USD'): Promise<AccountKey> {
    const key = userAccount(owner, currency);
    await this.open(key);
    if (BigInt(amount) > 0n) await this.post(credit(key, amount));
    return key;
  }

  async balanceOf(key: AccountKey): Promise<bigint | undefined> {
    return (await this.ledger.account(key))?.balance.minor;
  }
}

export function usd(cents: bigint | number): Money {
  return Money.of(cents, 'USD');
}

/** Money from the world outside. */
export function credit(to: AccountKey, amount: bigint | number): Posting {
  const debit = systemAccount('external', to.currency);
  return { type: 'transfer', kind: 'CREDIT', debit, credit: to, amount: Money.of(amount, to.currency) };
}

export function transfer(from: AccountKey, to: AccountKey, amount: bigint | number): Posting {
  return { type: 'transfer', kind: 'TRANSFER', debit: from, credit: to, amount: Money.of(amount, from.currency) };
}

/** The error code of a refusal, or what happened instead. */
export function codeOf(outcome: PostingOutcome | undefined): string {
  if (!outcome) return 'nothing';
  if ('refused' in outcome) return outcome.refused.code;
  return 'posted' in outcome ? 'posted' : outcome.held.status;
}
