import { Transfers } from '../money/transfers.js';
import { LedgerCheck } from '../money/verify-transfers.js';
import { PLANNED_TRANSFERS, type TransferRun } from '../requests/planned-transfers.js';
import type { Recipe } from '../requests/recipe.js';
import type { Stage } from '../stage/stage.js';
import type { Traffic } from '../workload.js';

/** Of them each is replayed in turn. */
export const STORED = 10_000;
/** More than it takes to make them; the generator stops when all are made. */
const STORING_SECONDS = 120;

const TRANSFERS: TransferRun = { run: 'replayed', hot: null };

/** $1 to $4 as in `PLANNED_TRANSFERS`. */
const BODIES = `
  SELECT body
  FROM (${PLANNED_TRANSFERS}) AS planned
  JOIN idempotency_records USING (key)
  WHERE state = 'completed'
  ORDER BY number`;

/** Transfers that were made before, sent again: each must be answered as at first, and nothing may move. */
export class Replays implements Traffic {
  readonly perRequest = 1;

  private constructor(
    private readonly stage: Stage,
    private readonly bodies: readonly string[],
    private readonly check: LedgerCheck,
  ) {}

  /** Gives users money and makes the transfers. @throws VoidRun */
  static async begin(stage: Stage): Promise<Replays> {
    const { database, generator, apiKey } = stage;
    const transfers = await Transfers.begin(stage, { size: 1, hot: TRANSFERS.hot });
    await generator.prepare({ of: 'transfers', ...TRANSFERS, count: STORED, apiKey });
    const { sent } = await generator.closedLoop(STORING_SECONDS);
    await transfers.verify(TRANSFERS.run, sent);
    const rows = await database.query<{ body: string }>(BODIES, [TRANSFERS.run, TRANSFERS.hot, sent, 1]);
    return new Replays(
      stage,
      rows.map(({ body }) => body),
      await LedgerCheck.begin(stage),
    );
  }

  recipe(): Recipe {
    return { of: 'replays', ...TRANSFERS, bodies: this.bodies, apiKey: this.stage.apiKey };
  }

  async verify(): Promise<void> {
    await this.check.verifyTotals(0);
  }
}
