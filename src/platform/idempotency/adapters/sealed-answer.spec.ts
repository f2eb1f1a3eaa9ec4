import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import type { RememberedAnswer } from '../answer-memory.js';
import { AnswerSeal } from './sealed-answer.js';

const seal = new AnswerSeal(Buffer.alloc(32, 7));
const NAME = 'holdfast:idempotency:user:1:POST:/api/things:0123456789abcdef';

const answers: fc.Arbitrary<RememberedAnswer> = fc.record({
  fingerprint: fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 64, maxLength: 64 }),
  status: fc.integer({ min: 100, max: 599 }),
  contentType: fc.constantFrom('', 'application/json; charset=utf-8', 'text/plain'),
  body: fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
  createdAt: fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }),
  expiresAt: fc.date({ min: new Date(0), max: new Date('2100-01-01'), noInvalidDate: true }),
});

describe('An answer sealed for Redis', () => {
  it('opens to what it was', () => {
    fc.assert(
      fc.property(answers, (answer) => {
        expect(seal.open(NAME, seal.seal(NAME, answer))).toEqual(answer);
      }),
    );
  });

  it('opens no more once a character of it is another', () => {
    fc.assert(
      fc.property(answers, fc.nat(), fc.constantFrom('0', 'A', '\n', 'é'), (answer, place, character) => {
        const sealed = seal.seal(NAME, answer);
        const at = place % sealed.length;
        fc.pre(sealed[at] !== character);
        expect(seal.open(NAME, sealed.slice(0, at) + character + sealed.slice(at + 1))).toBeUndefined();
      }),
    );
  });

  it('opens under no other name and with no other key', () => {
    fc.assert(
      fc.property(answers, (answer) => {
        const sealed = seal.seal(NAME, answer);
        expect(seal.open(`${NAME}0`, sealed)).toBeUndefined();
        expect(new AnswerSeal(Buffer.alloc(32, 8)).open(NAME, sealed)).toBeUndefined();
      }),
    );
  });

  it('is not found in any other text', () => {
    fc.assert(fc.property(fc.string({ maxLength: 200 }), (text) => seal.open(NAME, text) === undefined));
    expect(seal.open(NAME, `${'A'.repeat(43)}\n1 2 200 ${'0'.repeat(64)} \n`)).toBeUndefined();
  });
});
