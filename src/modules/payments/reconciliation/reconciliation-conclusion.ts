import { Injectable, Logger } from '@nestjs/common';
import { AuditLog } from '../../audit/index.js';
import { ConclusionRepository } from './conclusion.repository.js';
import { MovementsRepository } from './movements.repository.js';
import type { ReconciliationAttempt } from './reconciliation-attempt.js';
import { ReconciliationsRepository } from './reconciliations.repository.js';

/** The end of a run: its report and its differences, in one commit. */
@Injectable()
export class ReconciliationConclusion {
  private readonly logger = new Logger(ReconciliationConclusion.name);

  constructor(
    private readonly movements: MovementsRepository,
    private readonly conclusion: ConclusionRepository,
    private readonly runs: ReconciliationsRepository,
    private readonly audit: AuditLog,
  ) {}

  async conclude(attempt: ReconciliationAttempt): Promise<void> {
    const { id, provider } = attempt.run;
    const counts = await attempt.save(async (tx) => {
      await this.movements.refuseTwins(tx, id);
      await this.conclusion.addDifferences(tx, attempt.ref);
      await this.conclusion.closeEarlier(tx, attempt.ref);
      const report = await this.conclusion.report(tx, id);
      await this.runs.complete(tx, id, report);
      await this.audit.record(tx, [
        {
          actor: 'system:reconciliation',
          action: 'reconciliation.completed',
          subject: `reconciliation:${id}`,
          details: { ...report.counts },
        },
      ]);
      return report.counts;
    });
    this.logger.log({ msg: 'Reconciled', reconciliation: id, provider, ...counts });
  }
}
