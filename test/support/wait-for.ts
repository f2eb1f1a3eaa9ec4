import { setTimeout as sleep } from 'node:timers/promises';

export interface WaitOptions {
  /** Milliseconds; 30,000 unless told. */
  timeout?: number;
  /** Milliseconds between two looks; 20 unless told. */
  interval?: number;
  /** What we wait for, for the error's text. */
  what?: string;
}

/**
 * Asks again and again until `condition` gives something truthy, and resolves with it. A condition that throws counts as
 * not met yet, so assertions may be put in it.
 * @throws Error after the timeout, with the last thing `condition` threw as its cause
 */
export async function waitFor<T>(
  condition: () => T | Promise<T>,
  { timeout = 30_000, interval = 20, what = condition.toString() }: WaitOptions = {},
): Promise<NonNullable<Awaited<T>>> {
  const deadline = Date.now() + timeout;
  let cause: unknown;
  do {
    try {
      const value = await condition();
      if (value) return value;
    } catch (error) {
      cause = error;
    }
    await sleep(interval);
  } while (Date.now() < deadline);
  throw new Error(`Not within ${timeout} ms: ${what}`, { cause });
}
