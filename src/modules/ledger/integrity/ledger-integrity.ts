import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import type { PoolClient } from 'pg';
import { Every } from '../../../platform/schedule/index.js';
import { Transactor } from '../../../platform/transaction/index.js';
import { LedgerMetrics } from '../ledger-metrics.js';
import { CHECKS, EXTENT, MAX_NAMED, SUMS } from './checks.js';

/** It reads the whole ledger, about 8 s for a million transfers, on a snapshot and without locks. */
const INTERVAL_MS = 3_600_000;

/** For as long as it takes; the limit for requests is not meant for it. */
const TIMEOUT_MS = 3_600_000;

/** One way in which the ledger does not hold. */
export interface Violation {
  /** The rule that is broken. */
  readonly invariant: string;
  readonly message: string;
  /** Ids of those to blame. */
  readonly accounts: readonly string[];
  readonly transfers: readonly string[];
}

export interface IntegrityReport {
  readonly ok: boolean;
  readonly checkedAt: Date;
  readonly accounts: number;
  readonly entries: number;
  /** Of the balances, by currency: minor units as text, `0` when all is well. */
  readonly sumByCurrency: Readonly<Record<string, string>>;
  /** At most 100 for each rule. */
  readonly violations: readonly Violation[];
}

interface ViolationRow {
  message: string;
  account: string | null;
  transfer: string | null;
}

/** Proves that the ledger holds, or names what does not: every invariant over all accounts, transfers and entries. */
@Injectable()
export class LedgerIntegrity implements OnModuleDestroy {
  private readonly logger = new Logger(LedgerIntegrity.name);
  private underWay: Promise<IntegrityReport> | undefined;
  /** Process id of the backend that is checking. */
  private backend: number | undefined;

  constructor(
    private readonly transactor: Transactor,
    private readonly metrics: LedgerMetrics,
  ) {}

  /** A check may have minutes to go, which nobody waits for when the process is to end. */
  async onModuleDestroy(): Promise<void> {
    if (this.backend !== undefined) await this.transactor.statement('SELECT pg_cancel_backend($1)', [this.backend]);
  }

  /**
   * Looks at one snapshot. Whoever asks while a check is under way gets that one's report. At the start as well: whatever
   * ended the process before this one.
   */
  @Every(INTERVAL_MS, { name: 'ledger integrity', role: 'background', atStart: true })
  check(): Promise<IntegrityReport> {
    this.underWay ??= this.run().finally(() => (this.underWay = undefined));
    return this.underWay;
  }

  private async run(): Promise<IntegrityReport> {
    const report = await this.transactor.run(
      async (tx) => {
        if (!tx.queryRunner) throw new TypeError('A transaction has a connection');
        await tx.query(`SET LOCAL statement_timeout = ${TIMEOUT_MS}; SET LOCAL work_mem = '64MB'`);
        const [self] = await tx.query<{ pid: number }[]>('SELECT pg_backend_pid() AS pid');
        this.backend = self?.pid;
        try {
          return await examine(await tx.queryRunner.connect());
        } finally {
          this.backend = undefined;
        }
      },
      { isolation: 'REPEATABLE READ' },
    );
    this.metrics.checked(report.violations.length, report.checkedAt);
    if (!report.ok) this.logger.error({ msg: 'The ledger does not hold', violations: report.violations.slice(0, 10) });
    return report;
  }
}

async function examine(client: PoolClient): Promise<IntegrityReport> {
  const [extent] = await rowsOf<{ at: Date; accounts: number; entries: number }>(client, EXTENT);
  if (!extent) throw new Error('The extent of the ledger cannot be read');
  const sums = await rowsOf<{ currency: string; sum: string }>(client, SUMS);
  const violations: Violation[] = [];
  for (const { invariant, sql } of CHECKS) {
    const found = await rowsOf<ViolationRow>(client, `${sql} LIMIT ${MAX_NAMED}`);
    for (const { message, account, transfer } of found) {
      violations.push({
        invariant,
        message,
        accounts: account === null ? [] : [account],
        transfers: transfer === null ? [] : [transfer],
      });
    }
  }
  return {
    ok: violations.length === 0,
    checkedAt: extent.at,
    accounts: extent.accounts,
    entries: extent.entries,
    sumByCurrency: Object.fromEntries(sums.map(({ currency, sum }) => [currency, sum])),
    violations,
  };
}

async function rowsOf<Row extends object>(client: PoolClient, text: string): Promise<Row[]> {
  const query = { text, query_timeout: TIMEOUT_MS };
  return (await client.query<Row>(query)).rows;
}
