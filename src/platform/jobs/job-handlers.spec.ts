import { describe, expect, it } from '@jest/globals';
import { JobHandlers } from './job-handlers.js';

const nothing = { inTransaction: false, work: async () => undefined } as const;

describe('JobHandlers', () => {
  it('fills in what a handler leaves open, and nothing else', () => {
    const handlers = new JobHandlers();
    handlers.register('mail', nothing, { concurrency: 7 });
    expect(handlers.find('mail')?.options).toEqual({
      maxAttempts: 10,
      backoff: { baseMs: 1000, capMs: 900_000 },
      timeoutMs: 30_000,
      concurrency: 7,
    });
    expect(handlers.find('other')).toBeUndefined();
  });

  it('refuses a second handler of one kind: which of the two would run?', () => {
    const handlers = new JobHandlers();
    handlers.register('mail', nothing, {});
    expect(() => handlers.register('mail', nothing, {})).toThrow('"mail"');
  });
});
