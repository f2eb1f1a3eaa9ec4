import { print, remark } from '../output.js';
import { deliver, type Target } from './deliver.js';
import { outcomeOf } from './outcome.js';
import type { SignedEvent } from './signed-event.js';

/** Sends one event, once or twice, and shows each answer. @returns whether all were 2xx */
export async function sendOne(target: Target, event: SignedEvent, twice: boolean): Promise<boolean> {
  let allAccepted = true;
  let stored: string | undefined;
  for (let copy = 0; copy < (twice ? 2 : 1); copy++) {
    const answer = await deliver(target, event);
    const { ok, id } = outcomeOf(answer);
    print(`POST ${target.url}\n${answer.status} ${answer.statusText} in ${answer.ms.toFixed(1)} ms\n${answer.body}`);
    allAccepted &&= ok;
    stored = id;
  }
  if (stored !== undefined) remark(`\nWhat became of it: npx holdfast events show ${stored}`);
  return allAccepted;
}
