import { giveUsersMoney } from '../money/users-with-money.js';
import { LedgerCheck } from '../money/verify-transfers.js';
import type { Recipe } from '../requests/recipe.js';
import type { BenchDatabase } from '../stage/bench-database.js';
import type { Stage } from '../stage/stage.js';
import type { Traffic } from '../workload.js';

const BALANCES = `SELECT balance::float8 AS balance FROM ledger_accounts WHERE owner LIKE 'user-%' ORDER BY owner`;

/** Asks for users' balances, each answer compared with what the user has. */
export class BalanceQueries implements Traffic {
  readonly perRequest = 1;

  private constructor(
    private readonly stage: Stage,
    private readonly balances: readonly number[],
    private readonly check: LedgerCheck,
  ) {}

  /** Of the balances as they are now; they must stay so. */
  static async begin(stage: Stage): Promise<BalanceQueries> {
    return new BalanceQueries(stage, await balancesOf(stage.database), await LedgerCheck.begin(stage));
  }

  /** Gives users money first. */
  static async beginWithMoney(stage: Stage): Promise<BalanceQueries> {
    await giveUsersMoney(stage);
    return BalanceQueries.begin(stage);
  }

  recipe(): Recipe {
    return { of: 'balance queries', balances: this.balances, apiKey: this.stage.apiKey };
  }

  async verify(): Promise<void> {
    await this.check.verifyTotals(0);
  }
}

/** By the user's number. */
async function balancesOf(database: BenchDatabase): Promise<number[]> {
  return (await database.query<{ balance: number }>(BALANCES)).map(({ balance }) => balance);
}
