import { performance } from 'node:perf_hooks';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { describeRateLimitStore } from '../rate-limit-store.contract.js';
import { tier } from '../tier.js';
import { answerLimits, SupervisorRateLimitStore } from './supervisor-rate-limit-store.js';

/** A supervisor as its processes see it: another process, so that nothing is shared but copies. */
function supervisor() {
  const answer = answerLimits();
  return jest.fn(async (calls: Parameters<typeof answer>[0]) => structuredClone(answer(structuredClone(calls))));
}

const one = new SupervisorRateLimitStore(supervisor());
describeRateLimitStore('SupervisorRateLimitStore', () => one);

describe('SupervisorRateLimitStore', () => {
  const five = tier('five', 5, 60_000);

  afterEach(() => void jest.restoreAllMocks());

  it('counts with the other processes of its supervisor', async () => {
    const shared = supervisor();
    const stores = [new SupervisorRateLimitStore(shared), new SupervisorRateLimitStore(shared)];
    const decisions = await Promise.all(Array.from({ length: 40 }, (_, at) => stores[at % 2]!.take('subject', [five])));
    expect(decisions.filter(({ allowed }) => allowed)).toHaveLength(5);
    for (const store of stores) expect(await store.look('subject', [five])).toMatchObject([{ used: 5 }]);
  });

  it('asks once for all calls of a turn, and gives each its own answer', async () => {
    const asked = supervisor();
    const store = new SupervisorRateLimitStore(asked);
    const [first, other, none, look] = await Promise.all([
      store.take('subject', [five]),
      store.take('other', [tier('three', 3, 60_000)]),
      store.refund('other', [tier('three', 3, 60_000)]),
      store.look('subject', [five]),
    ]);
    expect(asked).toHaveBeenCalledTimes(1);
    expect([first.remaining, other.remaining]).toEqual([4, 2]);
    expect(none).toBeUndefined();
    expect(look).toMatchObject([{ used: 1 }]);
    await store.take('subject', [five]);
    expect(asked).toHaveBeenCalledTimes(2);
  });

  it('says what was counted, however long the supervisor takes over one message', async () => {
    let now = 1000;
    jest.spyOn(performance, 'now').mockImplementation(() => (now += 40_000));
    const store = new SupervisorRateLimitStore(supervisor());
    const single = tier('single', 1, 60_000);
    const decisions = await Promise.all([store.take('subject', [single]), store.take('subject', [single])]);
    expect(decisions.map(({ allowed }) => allowed)).toEqual([true, false]);
    expect(decisions[1].retryAfterMs).toBe(60_000);
  });

  it('fails all calls of a turn with its supervisor, and asks again in the next', async () => {
    const failing = supervisor();
    failing.mockRejectedValueOnce(new Error('The other process has ended'));
    const store = new SupervisorRateLimitStore(failing);
    const calls = [store.take('subject', [five]), store.refund('subject', [five]), store.look('subject', [five])];
    const outcomes = await Promise.allSettled<unknown>(calls);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect((await store.take('subject', [five])).remaining).toBe(4);
  });
});
