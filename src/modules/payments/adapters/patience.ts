import { setTimeout as delay } from 'node:timers/promises';
import { backoffDelay } from '../../../kernel/backoff.js';
import { OutcomeUnknownError, TurnedAwayError } from '../providers/payment-provider.js';

/** Over all, a minute or so where the provider does not say how long. */
const MOST_TRIES = 6;
const BACKOFF = { baseMs: 1000, capMs: 30_000 };
/** A provider that wants to be left alone for longer is asked again by the next attempt of whoever asks. */
const LONGEST_WAIT_MS = 120_000;

/** The provider was asked too often. */
export class AskedTooOftenError extends TurnedAwayError {
  constructor(
    /** Milliseconds; undefined when it did not say. */
    readonly retryAfterMs: number | undefined,
    cause?: unknown,
  ) {
    super({ code: 'rate_limited', message: 'The provider was asked too often.' }, cause);
  }
}

/**
 * Puts a question that changes nothing until it is answered: again after no answer, and after the time the provider asks for.
 *
 * @throws the last failure, what was refused, and the reason of the signal
 */
export async function askPatiently<Answer>(question: () => Promise<Answer>, signal: AbortSignal): Promise<Answer> {
  for (let attempt = 0; ; attempt++) {
    signal.throwIfAborted();
    try {
      return await question();
    } catch (error) {
      const waitMs = attempt + 1 < MOST_TRIES ? waitAfter(error, attempt) : undefined;
      if (waitMs === undefined) throw error;
      await delay(waitMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }
}

/**
 * RFC 9110, section 10.2.3: seconds, or a date.
 *
 * @returns milliseconds; undefined for what is neither
 */
export function retryAfterOf(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  const ms = /^\d{1,6}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now();
  return Number.isNaN(ms) ? undefined : Math.max(0, ms);
}

function waitAfter(error: unknown, attempt: number): number | undefined {
  const usual = backoffDelay(attempt, BACKOFF);
  if (error instanceof AskedTooOftenError) {
    const { retryAfterMs = usual } = error;
    return retryAfterMs > LONGEST_WAIT_MS ? undefined : Math.max(retryAfterMs, 100);
  }
  return error instanceof OutcomeUnknownError ? usual : undefined;
}
