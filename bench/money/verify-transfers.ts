import { VoidRun } from '../bench.js';
import { PLANNED_TRANSFERS, type TransferRun } from '../requests/planned-transfers.js';
import type { Stage } from '../stage/stage.js';

/**
 * From what was planned to what was stored under its key, from there to the transfer it names, from there to the entries.
 * $1 to $4 as in `PLANNED_TRANSFERS`.
 */
const FOUND = `
  WITH planned AS MATERIALIZED (${PLANNED_TRANSFERS}),
  records AS MATERIALIZED (
    SELECT key, status, body::jsonb AS body
    FROM idempotency_records
    WHERE key IN (SELECT key FROM planned) AND state = 'completed'
  ),
  answers AS MATERIALIZED (
    SELECT key, 0 AS place, body ->> 'id' AS id FROM records WHERE status = 201 AND body ? 'id'
    UNION ALL
    SELECT key, place - 1, item #>> '{transfer,id}'
    FROM records CROSS JOIN jsonb_array_elements(body -> 'results') WITH ORDINALITY AS result (item, place)
    WHERE status = 201 AND item ->> 'status' = 'posted'
  ),
  transfers AS (
    SELECT transfer.id::text AS id, transfer.amount, debit.owner AS debit, credit.owner AS credit, entries.count
    FROM ledger_transfers AS transfer
    JOIN ledger_accounts AS debit ON debit.id = debit_account AND debit.kind = 'user'
    JOIN ledger_accounts AS credit ON credit.id = credit_account AND credit.kind = 'user'
    LEFT JOIN (
      SELECT transfer, account, amount, count(*) OVER (PARTITION BY transfer) AS count FROM ledger_entries
    ) AS entries ON entries.transfer = transfer.id AND entries.account = debit.id AND entries.amount = -transfer.amount
  )
  SELECT
    (SELECT count(*) FROM records)::float8 AS keys,
    count(DISTINCT transfers.id)::float8 AS transfers,
    count(*) FILTER (
      WHERE (transfers.debit, transfers.credit, transfers.amount, transfers.count)
        = (planned.debit, planned.credit, planned.amount, 2)
    )::float8 AS intact
  FROM planned
  LEFT JOIN answers ON answers.key = planned.key AND answers.place = planned.number % $4::integer
  LEFT JOIN transfers ON transfers.id = answers.id`;

const TOTALS = `
  SELECT
    (SELECT count(*) FROM ledger_transfers)::float8 AS transfers,
    (SELECT count(*) FROM ledger_entries)::float8 AS entries,
    (SELECT sum(balance) FROM ledger_accounts WHERE kind = 'user')::float8 AS "ofUsers",
    (SELECT sum(balance) FROM ledger_accounts)::float8 AS "ofAll"`;

type Counts = Record<string, number>;

/** Whether the ledger holds what was answered: asked before the first stretch and after each. */
export class LedgerCheck {
  private expected: Counts;

  private constructor(
    private readonly stage: Stage,
    before: Counts,
    private readonly isAlone: boolean,
  ) {
    this.expected = before;
  }

  /**
   * Takes what is there for granted.
   *
   * @param isAlone whether only what is verified is posted from now on; else the totals are not looked at
   */
  static async begin(stage: Stage, isAlone = true): Promise<LedgerCheck> {
    const [before] = await stage.database.query<Counts>(TOTALS);
    return new LedgerCheck(stage, before ?? {}, isAlone);
  }

  /**
   * Every transfer that was answered 201 is there exactly once, as it was sent, with two entries; nothing else is; and
   * all invariants of the ledger hold.
   *
   * @param requests of this run, all answered 201
   * @param size transfers in each
   * @throws VoidRun
   */
  async verify(transfers: TransferRun, requests: number, size: number): Promise<void> {
    const { database } = this.stage;
    const count = requests * size;
    const [found] = await database.query<Counts>(FOUND, [transfers.run, transfers.hot, count, size]);
    compare('The tables do not hold what was answered', found, { keys: requests, transfers: count, intact: count });
    await this.verifyTotals(count);
  }

  /** @param posted transfers since it was asked last. @throws VoidRun */
  async verifyTotals(posted: number): Promise<void> {
    const { transfers = 0, entries = 0, ...sums } = this.expected;
    this.expected = { transfers: transfers + posted, entries: entries + 2 * posted, ...sums };
    const [totals] = await this.stage.database.query<Counts>(TOTALS);
    if (this.isAlone) compare('The books are not what they must be', totals, this.expected);
    await this.verifyIntegrity();
  }

  private async verifyIntegrity(): Promise<void> {
    const { server, apiKey } = this.stage;
    const answer = await fetch(`${server.url}/api/ledger/integrity`, {
      headers: { Authorization: `Bearer ${apiKey}` },
    });
    const report = await answer.text();
    if (answer.status === 200 && report.startsWith('{"ok":true,')) return;
    throw new VoidRun(`The ledger's own check: ${answer.status} ${report.slice(0, 500)}`);
  }
}

function compare(complaint: string, found: Counts | undefined, expected: Counts): void {
  const wrong = Object.entries(expected).filter(([name, count]) => found?.[name] !== count);
  if (wrong.length === 0) return;
  const list = wrong.map(([name, count]) => `${name} ${found?.[name]} instead of ${count}`);
  throw new VoidRun(`${complaint}: ${list.join(', ')}`);
}
