import { setTimeout as sleep } from 'node:timers/promises';
import { CliError } from '../cli.error.js';
import { type Answer, request } from '../http.js';
import type { SignedEvent } from './signed-event.js';

/** Why what this command finds or makes in the database may mean nothing to the server. */
export const OTHER_DATABASE =
  'The server uses another database than this command: run it with the DATABASE_URL or DATA_DIR of the server, or name ' +
  'a source that is there and give its --secret.';

const PAUSE_MS = 50;
const UNKNOWN = 404;

export interface Target {
  /** `…/webhooks/<source>` */
  url: string;
  /** Until then, on the clock of `performance.now()`, a 404 means "not yet". */
  knownBy: number;
}

export interface TimedAnswer extends Answer {
  ms: number;
}

/** Sends the event once. @throws CliError when there is no answer, or a source just made stays unknown */
export async function deliver({ url, knownBy }: Target, { body, headers }: SignedEvent): Promise<TimedAnswer> {
  for (;;) {
    const started = performance.now();
    const answer = await request(url, { method: 'POST', headers, body });
    const ms = performance.now() - started;
    if (answer.status !== UNKNOWN || knownBy === 0) return { ...answer, ms };
    if (performance.now() > knownBy) {
      throw new CliError(`The server does not know ${url}, which was made just now. ${OTHER_DATABASE}`);
    }
    await sleep(PAUSE_MS);
  }
}
