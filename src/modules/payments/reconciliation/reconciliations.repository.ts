import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, LessThan, Repository } from 'typeorm';
import type { PaymentProviderName } from '../payment.js';
import { Reconciliation } from './reconciliation.entity.js';
import type { ReconciliationReport, ReconciliationStep } from './reconciliation.js';

export type NewReconciliation = Pick<
  Reconciliation,
  'id' | 'provider' | 'mode' | 'windowFrom' | 'windowTo' | 'createdBy'
> & {
  readonly occasion?: string;
};

/** Two that ask at the same time do so one after the other. */
const LOCK_PROVIDER = `SELECT pg_advisory_xact_lock(hashtextextended($1, 0))`;

/** Index: reconciliations_unfinished_idx. */
const OVERLAPPING = `
  SELECT id
  FROM reconciliations
  WHERE status IN ('queued', 'running') AND provider = $1 AND window_from < $3 AND window_to > $2
  LIMIT 1`;

const NOW = `SELECT clock_timestamp() AS now`;

/** Index: the primary key. */
const BEGIN = `
  UPDATE reconciliations
  SET status = 'running', worker = $2, started_at = coalesce(started_at, clock_timestamp())
  WHERE id = $1 AND status IN ('queued', 'running')
  RETURNING id`;

/** Index: the primary key. */
const HOLD = `SELECT FROM reconciliations WHERE id = $1 AND worker = $2 AND status = 'running' FOR NO KEY UPDATE`;

/** How far a run has come; what is left out stays. Index: the primary key. */
const ADVANCE = `
  UPDATE reconciliations
  SET
    step = coalesce($2, step), collected_to = coalesce($3, collected_to), movements = movements + $4,
    compared = compared + $5, asked = asked + $6
  WHERE id = $1`;

export interface Progress {
  readonly step?: ReconciliationStep;
  readonly collectedTo?: Date;
  readonly movements?: number;
  readonly compared?: number;
  readonly asked?: number;
}

/** Runs and how far they have come. */
@Injectable()
export class ReconciliationsRepository {
  constructor(@InjectRepository(Reconciliation) private readonly runs: Repository<Reconciliation>) {}

  /** By the database's clock. */
  async now(tx: EntityManager): Promise<Date> {
    const [row] = await tx.query<{ now: Date }[]>(NOW);
    if (row === undefined) throw new Error('The database did not tell its time');
    return row.now;
  }

  /** @returns the id of a run that is not over, of which the window has a part; from here on until `tx` ends nobody makes another */
  async unfinished(
    tx: EntityManager,
    provider: PaymentProviderName,
    from: Date,
    to: Date,
  ): Promise<string | undefined> {
    await tx.query(LOCK_PROVIDER, [`reconciliation ${provider}`]);
    const [found] = await tx.query<{ id: string }[]>(OVERLAPPING, [provider, from, to]);
    return found?.id;
  }

  existsFor(tx: EntityManager, provider: PaymentProviderName, occasion: string): Promise<boolean> {
    return tx.withRepository(this.runs).existsBy({ provider, occasion });
  }

  async insert(tx: EntityManager, run: NewReconciliation): Promise<void> {
    await tx.withRepository(this.runs).insert(run);
  }

  find(id: string, by: EntityManager = this.runs.manager): Promise<Reconciliation | null> {
    return by.findOneBy(Reconciliation, { id });
  }

  /** Newest first. */
  list(
    provider: PaymentProviderName | undefined,
    before: string | undefined,
    limit: number,
  ): Promise<Reconciliation[]> {
    return this.runs.find({
      where: { ...(provider && { provider }), ...(before !== undefined && { id: LessThan(before) }) },
      order: { id: 'DESC' },
      take: limit,
    });
  }

  /** From now on it is this worker's. @returns false when it is over */
  async begin(id: string, worker: string): Promise<boolean> {
    const [, begun] = await this.runs.query<[object[], number]>(BEGIN, [id, worker]);
    return begun === 1;
  }

  /** @returns false when another worker has taken it over, or it is over; else nobody can before `tx` ends */
  async hold(tx: EntityManager, id: string, worker: string): Promise<boolean> {
    return (await tx.query<object[]>(HOLD, [id, worker])).length === 1;
  }

  async advance(tx: EntityManager, id: string, progress: Progress): Promise<void> {
    const { step = null, collectedTo = null, movements = 0, compared = 0, asked = 0 } = progress;
    await tx.query(ADVANCE, [id, step, collectedTo, movements, compared, asked]);
  }

  async complete(tx: EntityManager, id: string, report: ReconciliationReport): Promise<void> {
    await tx
      .withRepository(this.runs)
      .update({ id }, { status: 'completed', report, error: null, finishedAt: () => 'clock_timestamp()' });
  }

  /** @param isFinal nobody tries again */
  async failed(tx: EntityManager, id: string, error: string, isFinal: boolean): Promise<void> {
    await tx
      .withRepository(this.runs)
      .update({ id }, { error, ...(isFinal && { status: 'failed', finishedAt: () => 'clock_timestamp()' }) });
  }
}
