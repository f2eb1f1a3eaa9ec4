import { describe, expect, it } from '@jest/globals';
import { within } from './within.js';

describe('waiting for work, but not longer', () => {
  it('returns what comes in time, and throws what fails in time', async () => {
    expect(await within(10_000, Promise.resolve('done'))).toBe('done');
    await expect(within(10_000, Promise.reject(new Error('no')))).rejects.toThrow('no');
  });

  it('goes on without what takes longer, whatever becomes of it', async () => {
    let fail: (error: Error) => void = () => undefined;
    const work = new Promise<string>((_, reject) => (fail = reject));
    expect(await within(1, work)).toBeUndefined();
    fail(new Error('too late to matter'));
  });
});
