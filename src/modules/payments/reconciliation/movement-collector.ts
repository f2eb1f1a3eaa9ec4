import { Injectable } from '@nestjs/common';
import { ProviderDirectory } from '../providers/provider-directory.js';
import { MovementsRepository } from './movements.repository.js';
import type { ReconciliationAttempt } from './reconciliation-attempt.js';
import { ReconciliationsRepository } from './reconciliations.repository.js';

/** After a crash the reading goes on with the slice it was at. */
const SLICE_MS = 86_400_000;

/** Reads the provider's lists into the database, page by page. */
@Injectable()
export class MovementCollector {
  constructor(
    private readonly directory: ProviderDirectory,
    private readonly movements: MovementsRepository,
    private readonly runs: ReconciliationsRepository,
  ) {}

  /** @throws what `PaymentProvider.movements` throws */
  async collect(attempt: ReconciliationAttempt): Promise<void> {
    const { run, signal } = attempt;
    const provider = this.directory.get(run.provider);
    if (provider.mode !== run.mode) throw new Error(`${run.provider} is in ${provider.mode} mode by now`);
    for (let from = run.collectedTo ?? run.windowFrom; from < run.windowTo;) {
      const to = new Date(Math.min(from.getTime() + SLICE_MS, run.windowTo.getTime()));
      for await (const page of provider.movements({ from, to, signal })) {
        await attempt.save(async (tx) => {
          const movements = await this.movements.add(tx, run.id, page);
          await this.runs.advance(tx, run.id, { movements });
        });
      }
      await attempt.save((tx) => this.runs.advance(tx, run.id, { collectedTo: to }));
      from = to;
    }
  }
}
