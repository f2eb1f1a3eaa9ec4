import { BalanceRequests } from './balance-requests.js';
import { BatchRequests } from './batch-requests.js';
import { OpeningRequests } from './opening-requests.js';
import type { TransferRun } from './planned-transfers.js';
import { PaymentRequests } from './payment-requests.js';
import { ReplayRequests } from './replay-requests.js';
import type { RequestSource } from './request-source.js';
import { SignedEvents } from './signed-events.js';
import { TransferRequests } from './transfer-requests.js';

/** Which requests to make. It travels between processes, so it is plain data. */
export type Recipe =
  | { of: 'signed events'; run: string; count: number; secret: string }
  | { of: 'account openings'; apiKey: string }
  | ({ of: 'transfers'; count: number; apiKey: string } & TransferRun)
  | ({ of: 'batches'; count: number; size: number; apiKey: string } & TransferRun)
  | { of: 'payments'; run: string; count: number; apiKey: string }
  | { of: 'balance queries'; balances: readonly number[]; apiKey: string }
  | ({ of: 'replays'; bodies: readonly string[]; apiKey: string } & TransferRun);

/** @param host where they go, with the port */
export function makeRequests(recipe: Recipe, host: string): RequestSource {
  switch (recipe.of) {
    case 'signed events':
      return new SignedEvents(recipe.run, recipe.count, { host, secret: recipe.secret });
    case 'account openings':
      return new OpeningRequests(host, recipe.apiKey);
    case 'transfers':
      return new TransferRequests(recipe, recipe.count, { host, apiKey: recipe.apiKey });
    case 'batches':
      return new BatchRequests(recipe, recipe.count, recipe.size, { host, apiKey: recipe.apiKey });
    case 'payments':
      return new PaymentRequests(recipe.run, recipe.count, { host, apiKey: recipe.apiKey });
    case 'balance queries':
      return new BalanceRequests(recipe.balances, { host, apiKey: recipe.apiKey });
    // Replays are what is left.
    default:
      return new ReplayRequests(recipe, recipe.bodies, { host, apiKey: recipe.apiKey });
  }
}
