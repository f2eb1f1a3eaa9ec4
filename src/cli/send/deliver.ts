import { setTimeout as sleep } from 'node:timers/promises';
import { CliError } from '../cli.error.js';
import { type Answer, request } from '../http.js';
import type { SignedEvent } from './signed-event.js';

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
      throw new CliError(
        `The server does not know ${url}, which was made just now: it uses another database than this command. Run ` +
          "it with the server's DATABASE_URL or DATA_DIR, or name one of its sources and give --secret.",
      );
    }
    await sleep(PAUSE_MS);
  }
}
