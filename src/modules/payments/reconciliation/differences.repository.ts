import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, MoreThan, Repository } from 'typeorm';
import { ReconciliationDifference } from './reconciliation-difference.entity.js';
import type { DifferenceState } from './reconciliation.js';

/** Index: reconciliation_differences_state_idx. */
const OPEN_OF = `
  SELECT reconciliation, count(*)::integer AS open
  FROM reconciliation_differences
  WHERE reconciliation = ANY ($1::uuid[]) AND state = 'open'
  GROUP BY reconciliation`;

/** Index: reconciliation_differences_open_idx. */
const OPEN_BY_PROVIDER = `
  SELECT provider, count(*)::integer AS open FROM reconciliation_differences WHERE state = 'open' GROUP BY provider`;

/** What runs have found. */
@Injectable()
export class DifferencesRepository {
  constructor(
    @InjectRepository(ReconciliationDifference) private readonly differences: Repository<ReconciliationDifference>,
  ) {}

  /** Of a run, in the order in which the money moved. */
  list(
    reconciliation: string,
    state: DifferenceState | undefined,
    after: string | undefined,
    limit: number,
  ): Promise<ReconciliationDifference[]> {
    return this.differences.find({
      where: { reconciliation, ...(state && { state }), ...(after !== undefined && { id: MoreThan(after) }) },
      order: { id: 'ASC' },
      take: limit,
    });
  }

  /** How many are open, of those runs that have any. */
  async openOf(
    runs: readonly string[],
    by: EntityManager = this.differences.manager,
  ): Promise<ReadonlyMap<string, number>> {
    const rows = await by.query<{ reconciliation: string; open: number }[]>(OPEN_OF, [runs]);
    return new Map(rows.map(({ reconciliation, open }) => [reconciliation, open]));
  }

  /** How many are open, by provider, over all runs. */
  openByProvider(): Promise<{ provider: string; open: number }[]> {
    return this.differences.query(OPEN_BY_PROVIDER);
  }
}
