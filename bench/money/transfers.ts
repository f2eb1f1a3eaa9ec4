import type { TransferRun } from '../requests/planned-transfers.js';
import type { Recipe } from '../requests/recipe.js';
import type { Stage } from '../stage/stage.js';
import type { Traffic } from '../workload.js';
import { giveUsersMoney } from './users-with-money.js';
import { LedgerCheck } from './verify-transfers.js';

export interface TransferOptions {
  /** Transfers in a request: 1 goes to the single route, more to that of batches. */
  size: number;
  /** As in `TransferRun`. */
  hot: TransferRun['hot'];
  /** Whether nobody else posts meanwhile, so that the totals can be told beforehand. True unless told. */
  isAlone?: boolean;
}

/** Transfers between users, each request under a key of its own. */
export class Transfers implements Traffic {
  readonly perRequest: number;

  private constructor(
    private readonly stage: Stage,
    private readonly options: TransferOptions,
    private readonly check: LedgerCheck,
  ) {
    this.perRequest = options.size;
  }

  /** Gives users money first. */
  static async begin(stage: Stage, options: TransferOptions): Promise<Transfers> {
    await giveUsersMoney(stage);
    return new Transfers(stage, options, await LedgerCheck.begin(stage, options.isAlone));
  }

  recipe(run: string, count: number): Recipe {
    const { hot, size } = this.options;
    const { apiKey } = this.stage;
    return size === 1 ? { of: 'transfers', run, hot, count, apiKey } : { of: 'batches', run, hot, count, size, apiKey };
  }

  async verify(run: string, sent: number): Promise<void> {
    await this.check.verify({ run, hot: this.options.hot }, sent, this.options.size);
  }
}
