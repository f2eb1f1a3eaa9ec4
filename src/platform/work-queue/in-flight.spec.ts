import { describe, expect, it } from '@jest/globals';
import { InFlight } from './in-flight.js';
import { ClaimLostError, HandedBackError } from './work.errors.js';

const claim = (claimId: string) => ({ id: claimId, claimId });

/** @param lost are extended no more */
function holding(...lost: string[]): InFlight<{ id: string; claimId: string }> {
  const isOurs = ({ claimId }: { claimId: string }) => !lost.includes(claimId);
  return new InFlight({
    work: { noun: 'piece' },
    leaseMs: 3000,
    extend: async (asked) => new Set(asked.filter(isOurs).map(({ claimId }) => claimId)),
  });
}

describe('InFlight', () => {
  it('knows the claims that were not dropped yet', () => {
    const inFlight = holding();
    const [a, b] = [claim('a'), claim('b')];
    inFlight.hold([a]);
    inFlight.hold([b]);
    inFlight.drop([a]);
    expect(inFlight.claims).toEqual([b]);
  });

  it('aborts the attempt whose claim is lost and no other, and none that has ended', async () => {
    const inFlight = holding('a', 'c');
    const [a, b, c] = [claim('a'), claim('b'), claim('c')].map((each) => inFlight.hold([each]).signal);
    inFlight.drop([claim('c')]);
    await inFlight.beat();
    expect([a, b, c].map((signal) => signal?.aborted)).toEqual([true, false, false]);
    expect(a?.reason).toBeInstanceOf(ClaimLostError);
  });

  it('hands back by aborting all, and waits until the last has ended', async () => {
    const inFlight = holding();
    const signals = ['a', 'b'].map((id) => inFlight.hold([claim(id)]).signal);
    let handedBack = false;
    const waiting = inFlight.onApplicationShutdown().then(() => (handedBack = true));
    for (const signal of signals) expect(signal.reason).toBeInstanceOf(HandedBackError);
    inFlight.drop([claim('a')]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(handedBack).toBe(false);
    inFlight.drop([claim('b')]);
    await waiting;
  });

  it('waits for nothing when nothing is held', async () => {
    await holding().onApplicationShutdown();
  });

  it('aborts at once what is held after it has handed back', async () => {
    const inFlight = holding();
    await inFlight.onApplicationShutdown();
    expect(inFlight.hold([claim('late')]).signal.reason).toBeInstanceOf(HandedBackError);
  });

  it('aborts the attempt that holds a claim last', async () => {
    const inFlight = holding('a');
    const waiting = inFlight.hold([claim('a'), claim('b')]);
    const attempt = inFlight.hold([claim('a')]);
    await inFlight.beat();
    expect([waiting.signal.aborted, attempt.signal.aborted]).toEqual([false, true]);
  });
});
