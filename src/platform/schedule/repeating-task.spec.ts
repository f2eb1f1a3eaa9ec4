import { describe, expect, it } from '@jest/globals';
import { RepeatingTask } from './repeating-task.js';

describe('RepeatingTask', () => {
  it('never runs twice at once', async () => {
    let running = 0;
    let most = 0;
    let finish = (): void => undefined;
    const task = new RepeatingTask('test', async () => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => (finish = resolve));
      running -= 1;
    });
    void task.run();
    void task.run();
    finish();
    await task.stop();
    expect(most).toBe(1);
  });

  it('goes on after a failure', async () => {
    let rounds = 0;
    const task = new RepeatingTask('test', async () => {
      if (++rounds === 1) throw new Error('once');
    });
    await task.run();
    await task.run();
    expect(rounds).toBe(2);
  });

  it('waits for the round under way when it is stopped, and begins no other', async () => {
    let done = 0;
    const task = new RepeatingTask('test', async () => {
      await new Promise((resolve) => setImmediate(resolve));
      done += 1;
    });
    void task.run();
    await task.stop();
    await task.run();
    expect(done).toBe(1);
  });
});
