import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Answer, expectProblem } from '../support/http-answer.js';
import { COMMITTED, GUARDED, IdempotentCluster, isReplay, newKey, post } from '../support/idempotent-cluster.js';
import type { TestServer } from '../support/server.js';
import { waitFor } from '../support/wait-for.js';

/** So that a takeover takes a moment, and a busy machine does not keep a renewal from it. */
const LOCK_MS = 1500;

let cluster: IdempotentCluster;
let survivor: TestServer;

beforeAll(async () => {
  cluster = await IdempotentCluster.create();
  survivor = await start();
});

afterAll(() => cluster?.end());

const start = () => cluster.start({ IDEMPOTENCY_LOCK_MS: String(LOCK_MS) });

const untilStarted = (key: string) => waitFor(async () => (await cluster.effectsOf(key)).length > 0);

/** Asks again and again, as a client does, until the key is free of the attempt before. */
function untilAnswered(key: string, body: object): Promise<Answer> {
  return waitFor(async () => {
    const answer = await post(survivor, GUARDED, key, body);
    return answer.status === 409 ? undefined : answer;
  });
}

describe('A server that is killed in the middle of a guarded request', () => {
  it('leaves the key locked; when the lock has ended the next request goes on, and knows that it does', async () => {
    const victim = await start();
    const key = newKey();
    const body = { crash: true };
    await expect(post(victim, GUARDED, key, body)).rejects.toThrow();
    await untilStarted(key);
    const refused = await post(survivor, GUARDED, key, body);
    if (refused.status === 409) expectProblem(refused, 409, 'IDEMPOTENCY_KEY_IN_USE');
    const answer = await untilAnswered(key, body);
    expect(answer.status).toBe(201);
    expect(await cluster.effectsOf(key)).toMatchObject([{ resumed: false }, { resumed: true }]);
    const repeat = await post(survivor, GUARDED, key, body);
    expect(isReplay(repeat)).toBe(true);
    expect(repeat.text).toBe(isReplay(answer) ? answer.text : repeat.text);
    expect(await cluster.effectsOf(key)).toHaveLength(2);
  });

  it('does not free the key for another request', async () => {
    const victim = await start();
    const key = newKey();
    await expect(post(victim, GUARDED, key, { crash: true })).rejects.toThrow();
    await untilStarted(key);
    const altered = async () => post(survivor, GUARDED, key, { crash: true, value: 'altered' });
    expectProblem(await altered(), 422, 'IDEMPOTENCY_KEY_REUSED');
    await waitFor(async () => {
      const [record] = await cluster.query<{ over: boolean }>(
        'SELECT locked_until < clock_timestamp() AS over FROM idempotency_records WHERE key = $1',
        [key],
      );
      return record?.over;
    });
    expectProblem(await altered(), 422, 'IDEMPOTENCY_KEY_REUSED');
    expect(await cluster.effectsOf(key)).toHaveLength(1);
  });

  it('is taken over by one of many who ask at once', async () => {
    const victim = await start();
    const key = newKey();
    const body = { crash: true };
    await expect(post(victim, GUARDED, key, body)).rejects.toThrow();
    await untilStarted(key);
    const servers = [survivor, await start()];
    await waitFor(async () => {
      const answers = await Promise.all(
        Array.from({ length: 20 }, (_, index) => post(servers[index % 2]!, GUARDED, key, body)),
      );
      return answers.some(({ status }) => status === 201);
    });
    expect(await cluster.effectsOf(key)).toMatchObject([{ resumed: false }, { resumed: true }]);
  });
});

describe('A handler that takes longer than the lock', () => {
  it('keeps the key, because the lock is renewed', async () => {
    const key = newKey();
    const gate = newKey();
    const answering = post(survivor, GUARDED, key, { gate });
    await untilStarted(key);
    const since = performance.now();
    await waitFor(async () => {
      expectProblem(await post(survivor, GUARDED, key, { gate }), 409, 'IDEMPOTENCY_KEY_IN_USE');
      return performance.now() - since > 3 * LOCK_MS;
    });
    await cluster.open(gate);
    expect((await answering).status).toBe(201);
    expect(await cluster.effectsOf(key)).toMatchObject([{ resumed: false, lost: false }]);
  });
});

describe('A server that stood still for longer than its lock', () => {
  it('finds its key taken over, tells its handler, and answers what the other one has answered', async () => {
    const sleeper = await start();
    const key = newKey();
    const gate = newKey();
    const late = post(sleeper, GUARDED, key, { gate });
    await untilStarted(key);
    await sleeper.kill('SIGSTOP');
    try {
      await waitFor(async () => {
        const [effects] = [await cluster.effectsOf(key)];
        if (effects.length === 1) void post(survivor, GUARDED, key, { gate });
        return effects.length === 2;
      });
      await cluster.open(gate);
      const answer = await untilAnswered(key, { gate });
      expect(answer.status).toBe(201);
      await sleeper.kill('SIGCONT');
      const lateAnswer = await late;
      expect({ text: lateAnswer.text, replay: isReplay(lateAnswer) }).toEqual({ text: answer.text, replay: true });
      expect(JSON.parse(answer.text)).toMatchObject({ resumed: true });
      expect(await cluster.effectsOf(key)).toMatchObject([
        { pid: sleeper.pid, resumed: false },
        { pid: survivor.pid, resumed: true, lost: false },
      ]);
    } finally {
      await sleeper.kill('SIGCONT');
    }
  });
});

describe('Where effect and answer commit together', () => {
  it('a server killed at any moment leaves both or neither: every key has its effect exactly once', async () => {
    const keys = Array.from({ length: 60 }, newKey);
    const victim = await start();
    const sending = keys.map(async (key, index) => {
      if (index === 30) await victim.kill('SIGKILL');
      return post(victim, COMMITTED, key).then(
        ({ status }) => status === 201,
        () => false,
      );
    });
    const answered = await Promise.all(sending);
    for (const [index, key] of keys.entries()) {
      const before = await cluster.effectsOf(key);
      const answer = await post(survivor, COMMITTED, key);
      expect(answer.status).toBe(201);
      // PostgreSQL may have carried out a COMMIT of the killed server since; below the effect is there once all the same.
      if (before.length === 1) expect(isReplay(answer)).toBe(true);
      if (answered[index]) expect(before).toHaveLength(1);
      expect(await cluster.effectsOf(key)).toHaveLength(1);
    }
  });
});
