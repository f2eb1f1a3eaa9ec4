import { describe, expect, it } from '@jest/globals';
import { settledWithin } from './settled-within.js';

const timeout = new Error('too long');
const never = () => new Promise<void>(() => undefined);
const run = (work: () => Promise<void>, controller = new AbortController(), ms = 60_000) =>
  settledWithin(ms, controller, () => timeout, work);

describe('settledWithin', () => {
  it('ends as the work does', async () => {
    await run(async () => undefined);
    const failure = new Error('failed');
    await expect(run(() => Promise.reject(failure))).rejects.toBe(failure);
  });

  it('aborts and no longer waits when the time is up', async () => {
    const controller = new AbortController();
    await expect(run(never, controller, 5)).rejects.toBe(timeout);
    expect(controller.signal.reason).toBe(timeout);
  });

  it('ends with the reason of an abort, not with what the work makes of it', async () => {
    const controller = new AbortController();
    const reason = new Error('the process ends');
    const work = () =>
      new Promise<void>((_, reject) => {
        controller.signal.addEventListener('abort', () => reject(new Error('stopped, as told')));
      });
    const ended = run(work, controller);
    controller.abort(reason);
    await expect(ended).rejects.toBe(reason);
  });

  it('does not begin what is aborted already', async () => {
    const reason = new Error('the process ends');
    let begun = false;
    const work = async () => void (begun = true);
    await expect(run(work, aborted(reason))).rejects.toBe(reason);
    expect(begun).toBe(false);
  });

  it('does not wait for work that aborts its own attempt at once', async () => {
    const controller = new AbortController();
    const work = () => {
      controller.abort(timeout);
      return never();
    };
    await expect(run(work, controller)).rejects.toBe(timeout);
  });
});

function aborted(reason: Error): AbortController {
  const controller = new AbortController();
  controller.abort(reason);
  return controller;
}
