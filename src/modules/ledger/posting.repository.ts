import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { stringifyExactJson } from '../../kernel/exact-json.js';
import { arrayLiteral, plainArrayLiteral, prepared, runnerOf, runPrepared } from '../../platform/database/index.js';
import type { Decision } from './decide.js';
import type { BookedHold, BookedTransfer } from './ledger-state.js';

/** Triggers book the entries, balances and sums held; indexes: the tables' own. */
const INSERT_TRANSFERS = prepared(
  'ledger_insert_transfers',
  `
  INSERT INTO ledger_transfers (
    id, debit_account, credit_account, amount, debit_sequence, credit_sequence, debit_balance_after,
    credit_balance_after, currency, kind, actor, request_id, category, reference, description, metadata, reverses, hold,
    created_at
  )
  SELECT *, $19::timestamptz
  FROM unnest(
    $1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[],
    $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::jsonb[],
    $17::uuid[], $18::uuid[]
  )`,
);

const INSERT_HOLDS = prepared(
  'ledger_insert_holds',
  `
  INSERT INTO ledger_holds (
    id, account, credit_account, amount, currency, placed_by, request_id, description, expires_at, created_at
  )
  SELECT *, $10::timestamptz
  FROM unnest(
    $1::uuid[], $2::uuid[], $3::uuid[], $4::bigint[], $5::text[], $6::text[], $7::text[], $8::text[], $9::timestamptz[]
  )`,
);

/**
 * A trigger refuses the rows that are not active any more. A hold has expired when its time was over, to the microsecond,
 * and not when somebody came by. Index: ledger_holds_pkey.
 */
const RESOLVE_HOLDS = prepared(
  'ledger_resolve_holds',
  `
  UPDATE ledger_holds AS h
  SET status = resolved.status, captured = resolved.captured, transfer = resolved.transfer,
    resolved_at = CASE resolved.status WHEN 'EXPIRED' THEN h.expires_at ELSE $5 END
  FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::uuid[]) AS resolved (id, status, captured, transfer)
  WHERE h.id = resolved.id`,
);

/** A column of nulls: unnest fills the shorter array with them, and an empty one costs nothing. */
const EMPTY = '{}';

/** Writes what was decided. */
@Injectable()
export class PostingRepository {
  /**
   * At most three statements, and one where there are no holds. Releases come first and reservations last, so that no
   * account has less than is held of it at any moment in between.
   */
  async write(tx: EntityManager, { now, resolved, transfers, placed }: Decision): Promise<void> {
    if (resolved.length > 0) await this.resolve(tx, resolved, now);
    if (transfers.length > 0) await this.insertTransfers(tx, transfers);
    if (placed.length > 0) await this.insertHolds(tx, placed);
  }

  private async insertTransfers(tx: EntityManager, rows: readonly BookedTransfer[]): Promise<void> {
    await runPrepared(runnerOf(tx), INSERT_TRANSFERS, [
      plain(rows, ({ id }) => id),
      plain(rows, ({ debit }) => debit.id),
      plain(rows, ({ credit }) => credit.id),
      plain(rows, ({ amount }) => amount.minor),
      plain(rows, ({ debitSequence }) => debitSequence),
      plain(rows, ({ creditSequence }) => creditSequence),
      plain(rows, ({ debitBalanceAfter }) => debitBalanceAfter),
      plain(rows, ({ creditBalanceAfter }) => creditBalanceAfter),
      plain(rows, ({ amount }) => amount.currency),
      plain(rows, ({ kind }) => kind),
      text(rows, ({ actor }) => actor),
      text(rows, ({ requestId }) => requestId),
      text(rows, ({ category }) => category),
      text(rows, ({ reference }) => reference),
      text(rows, ({ description }) => description),
      text(rows, ({ metadata }) => (metadata === null ? null : stringifyExactJson(metadata))),
      plain(rows, ({ reverses }) => reverses),
      plain(rows, ({ holdId }) => holdId),
      rows[0]?.createdAt,
    ]);
  }

  private async insertHolds(tx: EntityManager, rows: readonly BookedHold[]): Promise<void> {
    await runPrepared(runnerOf(tx), INSERT_HOLDS, [
      plain(rows, ({ id }) => id),
      plain(rows, ({ account }) => account.id),
      plain(rows, ({ credit }) => credit.id),
      plain(rows, ({ amount }) => amount.minor),
      plain(rows, ({ amount }) => amount.currency),
      text(rows, ({ placedBy }) => placedBy),
      text(rows, ({ requestId }) => requestId),
      text(rows, ({ description }) => description),
      text(rows, ({ expiresAt }) => expiresAt.toISOString()),
      rows[0]?.createdAt,
    ]);
  }

  private async resolve(tx: EntityManager, rows: readonly BookedHold[], now: Date): Promise<void> {
    await runPrepared(runnerOf(tx), RESOLVE_HOLDS, [
      plain(rows, ({ id }) => id),
      plain(rows, ({ status }) => status),
      plain(rows, ({ captured }) => captured && captured.minor),
      plain(rows, ({ transferId }) => transferId),
      now,
    ]);
  }
}

/** An array parameter of ids, numbers and fixed words. */
function plain<Row>(rows: readonly Row[], valueOf: (row: Row) => string | number | bigint | null): string {
  let found = false;
  const values = rows.map((row) => {
    const value = valueOf(row);
    if (value !== null) found = true;
    return typeof value === 'bigint' ? String(value) : value;
  });
  return found ? plainArrayLiteral(values) : EMPTY;
}

/** An array parameter of any text. */
function text<Row>(rows: readonly Row[], valueOf: (row: Row) => string | null): string {
  let found = false;
  const values = rows.map((row) => {
    const value = valueOf(row);
    if (value !== null) found = true;
    return value;
  });
  return found ? arrayLiteral(values) : EMPTY;
}
