import { describe, expect, it } from '@jest/globals';
import { InFlight } from './in-flight.js';

const claim = (claimId: string) => ({ claimId });

describe('InFlight', () => {
  it('knows the claims that were not dropped yet', () => {
    const inFlight = new InFlight();
    const [a, b] = [claim('a'), claim('b')];
    inFlight.hold([a]);
    inFlight.hold([b]);
    inFlight.drop([a]);
    expect(inFlight.claims).toEqual([b]);
  });

  it('aborts one attempt and no other, and none that has ended', () => {
    const inFlight = new InFlight();
    const [a, b, c] = [claim('a'), claim('b'), claim('c')].map((each) => inFlight.hold([each]));
    inFlight.drop([claim('c')]);
    inFlight.abort(claim('a'), new Error('lost'));
    inFlight.abort(claim('c'), new Error('lost'));
    expect([a, b, c].map((each) => each?.signal.aborted)).toEqual([true, false, false]);
  });

  it('hands back by aborting all, and waits until the last has ended', async () => {
    const inFlight = new InFlight();
    const signals = ['a', 'b'].map((id) => inFlight.hold([claim(id)]).signal);
    let handedBack = false;
    const reason = new Error('the process ends');
    const waiting = inFlight.handBack(reason).then(() => (handedBack = true));
    expect(signals.map((signal) => signal.reason as unknown)).toEqual([reason, reason]);
    inFlight.drop([claim('a')]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(handedBack).toBe(false);
    inFlight.drop([claim('b')]);
    await waiting;
  });

  it('waits for nothing when nothing is held', async () => {
    await new InFlight().handBack(new Error('the process ends'));
  });

  it('aborts at once what is held after it has handed back', async () => {
    const inFlight = new InFlight();
    const reason = new Error('the process ends');
    await inFlight.handBack(reason);
    expect(inFlight.hold([claim('late')]).signal.reason).toBe(reason);
  });

  it('aborts the attempt that holds a claim last', () => {
    const inFlight = new InFlight();
    const waiting = inFlight.hold([claim('a'), claim('b')]);
    const attempt = inFlight.hold([claim('a')]);
    inFlight.abort(claim('a'), new Error('lost'));
    expect([waiting.signal.aborted, attempt.signal.aborted]).toEqual([false, true]);
  });
});
