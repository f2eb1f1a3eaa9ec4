import { print, progress } from '../output.js';
import { deliver, type Target } from './deliver.js';
import { outcomeOf } from './outcome.js';
import type { SignedEvent } from './signed-event.js';
import { Tally } from './tally.js';

const PROGRESS_MS = 100;

export interface Amount {
  count: number;
  /** Requests under way at the same time. */
  concurrency: number;
  duplicate: boolean;
}

/** Sends events and sums up. Ctrl-C ends it early, with the sum so far. @returns whether all were 2xx */
export async function sendMany(
  target: Target,
  next: () => SignedEvent,
  { count, concurrency, duplicate }: Amount,
): Promise<boolean> {
  const tally = new Tally();
  let left = count;
  const stop = () => (left = 0);
  const send = async () => {
    while (left > 0) {
      left--;
      const event = next();
      for (let copy = 0; copy < (duplicate ? 2 : 1); copy++) await sendOnce(target, event, tally);
    }
  };
  process.once('SIGINT', stop);
  const shown = setInterval(() => progress(`${tally.sent} sent`), PROGRESS_MS);
  const started = performance.now();
  try {
    await Promise.all(Array.from({ length: Math.min(concurrency, count) }, send));
  } finally {
    clearInterval(shown);
    process.off('SIGINT', stop);
    progress('');
  }
  print(tally.summary(performance.now() - started));
  return tally.errors === 0;
}

async function sendOnce(target: Target, event: SignedEvent, tally: Tally): Promise<void> {
  try {
    const answer = await deliver(target, event);
    const { ok, name } = outcomeOf(answer);
    tally.add(name, ok, answer.ms);
  } catch (error) {
    tally.add(error instanceof Error ? error.message : String(error), false);
  }
}
