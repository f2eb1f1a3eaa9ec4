import { VoidRun } from '../bench.js';
import { CURRENCY, fundsOf, USERS, userId } from '../requests/users.js';
import type { Stage } from '../stage/stage.js';

/** Gives the users what they have at first, and has nothing left then. */
const TREASURY = 'treasury';
const BATCH = 1000;
/** More than it takes; the generator stops when all accounts are open. */
const OPENING_SECONDS = 120;

/**
 * Opens an account for every user and funds it, all through the API.
 *
 * @throws VoidRun when something was refused
 */
export async function giveUsersMoney(stage: Stage): Promise<void> {
  await stage.generator.prepare({ of: 'account openings', apiKey: stage.apiKey });
  const opened = await stage.generator.closedLoop(OPENING_SECONDS);
  if (opened.accepted !== USERS) throw new VoidRun(`Only ${opened.accepted} of ${USERS} accounts could be opened`);

  const numbers = Array.from({ length: USERS }, (_, number) => number);
  const total = numbers.reduce((sum, number) => sum + fundsOf(number), 0);
  await post(stage, 'accounts', { userId: TREASURY, currency: CURRENCY });
  await post(stage, 'transactions', { userId: TREASURY, type: 'CREDIT', amount: total, currency: CURRENCY });
  for (let from = 0; from < USERS; from += BATCH) {
    const transfers = numbers.slice(from, from + BATCH).map((number) => ({
      fromUserId: TREASURY,
      toUserId: userId(number),
      amount: fundsOf(number),
      currency: CURRENCY,
    }));
    await post(stage, 'transfers/batch', { mode: 'atomic', transfers });
  }
}

async function post({ server, apiKey }: Stage, route: string, body: object): Promise<void> {
  const answer = await fetch(`${server.url}/api/wallet/${route}`, {
    method: 'POST',
    headers: {
      Authorization: `Bearer ${apiKey}`,
      'Content-Type': 'application/json',
      'Idempotency-Key': crypto.randomUUID(),
    },
    body: JSON.stringify(body),
  });
  if (answer.status !== 201) throw new VoidRun(`${route} answered ${answer.status}: ${await answer.text()}`);
  await answer.arrayBuffer();
}
