import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { AnswerMemory, type RememberedAnswer } from './answer-memory.js';
import type { IdempotencyClaim } from './claim.js';

const claim = (key: string): IdempotencyClaim => ({ scope: 'user:1:POST:/', key, fingerprint: 'f' });

function answer(body: string, expiresAt = 1_000_000): RememberedAnswer {
  return {
    fingerprint: 'f',
    status: 201,
    contentType: 'text/plain',
    body,
    createdAt: new Date(0),
    expiresAt: new Date(expiresAt),
  };
}

describe('AnswerMemory', () => {
  it('gives back what was put in, to its own scope and key only', () => {
    const memory = new AnswerMemory(1_000_000, () => 0);
    memory.put(claim('one'), answer('1'));
    expect(memory.get(claim('one'))?.body).toBe('1');
    expect(memory.get(claim('two'))).toBeUndefined();
    expect(memory.get({ ...claim('one'), scope: 'user:2:POST:/' })).toBeUndefined();
  });

  it('leaves the last second of an answer to the database', () => {
    let now = 0;
    const memory = new AnswerMemory(1_000_000, () => now);
    memory.put(claim('one'), answer('1', 5000));
    now = 3999;
    expect(memory.get(claim('one'))?.body).toBe('1');
    now = 4000;
    expect(memory.get(claim('one'))).toBeUndefined();
    expect(memory.size).toBe(0);
  });

  it('forgets the least recently used when it is full', () => {
    const memory = new AnswerMemory(32_000, () => 0);
    memory.put(claim('first'), answer('1'));
    memory.put(claim('second'), answer('2'));
    let filled = 0;
    while (memory.size === filled + 2) {
      memory.get(claim('first'));
      memory.put(claim(`filler${filled++}`), answer('x'.repeat(100)));
    }
    expect(memory.get(claim('second'))).toBeUndefined();
    expect(memory.get(claim('first'))?.body).toBe('1');
  });

  it('stays within its bounds whatever is put in, and again and again', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(50), fc.nat(1500)), { maxLength: 200 }), (puts) => {
        const memory = new AnswerMemory(50_000, () => 0);
        for (const [key, length] of puts) memory.put(claim(String(key)), answer('x'.repeat(length)));
        const held = Array.from({ length: 51 }, (_, key) => memory.get(claim(String(key)))?.body.length ?? 0);
        expect(2 * held.reduce((sum, length) => sum + length, 0)).toBeLessThanOrEqual(50_000);
      }),
    );
  });

  it('forgets nothing while there is room, however often one answer is put in', () => {
    const memory = new AnswerMemory(50_000, () => 0);
    for (let key = 0; key < 20; key++) {
      for (let time = 0; time < 100; time++) memory.put(claim(String(key)), answer('x'.repeat(500)));
    }
    expect(Array.from({ length: 20 }, (_, key) => memory.get(claim(String(key)))?.body.length)).toEqual(
      Array<number>(20).fill(500),
    );
  });

  it('does not give up all others for one that is huge', () => {
    const memory = new AnswerMemory(100_000, () => 0);
    memory.put(claim('small'), answer('1'));
    memory.put(claim('huge'), answer('x'.repeat(40_000)));
    expect(memory.get(claim('huge'))).toBeUndefined();
    expect(memory.get(claim('small'))?.body).toBe('1');
  });
});
