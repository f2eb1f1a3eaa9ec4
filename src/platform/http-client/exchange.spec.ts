import { describe, expect, it } from '@jest/globals';
import { Exchange } from './exchange.js';

class Controller {
  readonly aborted = false;
  readonly paused = false;
  readonly reason = null;
  aborts = 0;

  abort(): void {
    this.aborts++;
  }
  pause(): void {}
  resume(): void {}
}

function exchange(signal: AbortSignal): Exchange {
  const url = 'http://127.0.0.1/';
  const limits = { timeoutMs: 60_000, maxResponseBytes: 1000, target: 'any' } as const;
  return new Exchange(new URL(url), { purpose: 'test', method: 'POST', url, signal, ...limits });
}

describe('an exchange', () => {
  it('lets its request be written once, and never again', async () => {
    const end = new AbortController();
    const once = exchange(end.signal);
    const controller = new Controller();
    once.onRequestStart(controller);
    expect(controller.aborts).toBe(0);
    once.onRequestStart(controller);
    expect(controller.aborts).toBe(1);
    end.abort();
    await expect(once.answer).rejects.toMatchObject({ failure: 'aborted', mayHaveReached: true });
  });

  it('lets nothing be written that was given up', async () => {
    const end = new AbortController();
    const late = exchange(end.signal);
    end.abort();
    const controller = new Controller();
    late.onRequestStart(controller);
    expect(controller.aborts).toBe(1);
    await expect(late.answer).rejects.toMatchObject({ failure: 'aborted', mayHaveReached: false });
  });
});
