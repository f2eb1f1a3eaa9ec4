import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import type { Money } from '../../../kernel/money.js';
import type { Outcome } from './reconciliation.js';

/** What only the books have. */
export interface UnseenPosting {
  readonly reference: string;
  readonly kind: 'charge' | 'refund' | 'dispute' | 'reinstatement' | 'other';
  readonly payment: string | null;
  readonly refund: string | null;
  readonly booked: Money;
  readonly postedAt: Date;
  readonly outcome: Outcome;
  /** What the provider has for it, as its balance would change. */
  readonly provided: Money | undefined;
  readonly note: string | null;
}

/** Index: reconciliation_movements_reference_idx. */
const SEEN = `
  SELECT reference FROM reconciliation_movements WHERE reconciliation = $1 AND reference = ANY ($2::text[])`;

/** What is healed already differed in where it stands. */
const ADD_POSTING = `
  INSERT INTO reconciliation_movements (
    reconciliation, id, kind, payment, refund, reference, amount, currency, fee_currency, booked, booked_currency,
    moved_at, outcome, first_outcome, note
  )
  VALUES ($1, 'ledger:' || $2::text, $3, $4, $5, $2, $6, $7, $7, $8, $9, $10, $11::text,
    CASE WHEN $11::text = 'healed' THEN 'status' ELSE $11::text END, $12
  )
  ON CONFLICT (reconciliation, id) DO NOTHING`;

/** The ledger's side of what a run works on: postings that none of the provider's movements has. */
@Injectable()
export class UnseenPostingsRepository {
  constructor(private readonly dataSource: DataSource) {}

  /** Which of these references some movement has. */
  async seen(run: string, references: readonly string[]): Promise<ReadonlySet<string>> {
    const rows = await this.dataSource.query<{ reference: string }[]>(SEEN, [run, references]);
    return new Set(rows.map(({ reference }) => reference));
  }

  async add(tx: EntityManager, run: string, posting: UnseenPosting): Promise<void> {
    const { reference, kind, payment, refund, booked, postedAt, outcome, provided, note } = posting;
    await tx.query(ADD_POSTING, [
      run,
      reference,
      kind,
      payment,
      refund,
      provided === undefined ? null : String(provided.minor),
      (provided ?? booked).currency,
      String(booked.minor),
      booked.currency,
      postedAt,
      outcome,
      note,
    ]);
  }
}
