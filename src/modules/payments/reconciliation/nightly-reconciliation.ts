import { Inject, Injectable, Logger } from '@nestjs/common';
import { CONFIG, type Config } from '../../../config/index.js';
import { Every } from '../../../platform/schedule/index.js';
import { READ_COMMITTED, Transactor } from '../../../platform/transaction/index.js';
import { ProviderDirectory } from '../providers/provider-directory.js';
import { ReconciliationsService } from './reconciliations.service.js';

const LOOK_EVERY_MS = 60_000;

/** UTC, and by the database's clock. */
const DUE_SINCE = `
  SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day
  WHERE (now() AT TIME ZONE 'UTC')::time >= $1::time`;

/**
 * A run a day for each provider, over the last two days: each movement is looked at twice, and one that is late on either side
 * is found the second time. Every replica looks; the first to come makes the run, also when all were away at the hour itself.
 */
@Injectable()
export class NightlyReconciliation {
  private readonly logger = new Logger(NightlyReconciliation.name);
  /** Nothing more to do on it. */
  private doneOn = '';

  constructor(
    @Inject(CONFIG) private readonly config: Pick<Config, 'PAYMENTS_RECONCILE_AT'>,
    private readonly transactor: Transactor,
    private readonly directory: ProviderDirectory,
    private readonly reconciliations: ReconciliationsService,
  ) {}

  @Every(LOOK_EVERY_MS, { name: 'nightly reconciliation', role: 'background', atStart: true })
  async look(): Promise<void> {
    const { PAYMENTS_RECONCILE_AT: at } = this.config;
    if (at === 'off') return;
    const [due] = await this.transactor.statement<{ day: string }>(DUE_SINCE, [at]);
    if (due === undefined || due.day === this.doneOn) return;
    const made = [];
    for (const provider of this.directory.all) {
      made.push(
        await this.transactor
          .run((tx) => this.reconciliations.createFor(tx, provider, `nightly ${due.day}`), READ_COMMITTED)
          .catch((error: unknown) => {
            this.logger.warn({
              msg: 'A nightly reconciliation could not be made',
              provider: provider.name,
              err: error,
            });
            return false;
          }),
      );
    }
    // Those that another run stands in the way of are tried again.
    if (made.every(Boolean)) this.doneOn = due.day;
  }
}
