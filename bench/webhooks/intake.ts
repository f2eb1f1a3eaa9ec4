import type { Recipe } from '../requests/recipe.js';
import type { Stage } from '../stage/stage.js';
import type { Traffic } from '../workload.js';
import { verifyIntake } from './verify-intake.js';

/** Signed events, each of them new. */
export class Intake implements Traffic {
  readonly perRequest = 1;
  private accepted = 0;

  constructor(private readonly stage: Stage) {}

  recipe(run: string, count: number): Recipe {
    return { of: 'signed events', run, count, secret: this.stage.stripeSecret };
  }

  async verify(run: string, sent: number): Promise<void> {
    this.accepted += sent;
    await verifyIntake(this.stage.database, run, sent, this.accepted);
  }
}
