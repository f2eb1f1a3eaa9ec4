import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { storableText } from './storable-text.js';

describe('storableText', () => {
  it('keeps text that PostgreSQL takes', () => {
    expect(storableText('Zoë 🙂\n\t', 100)).toBe('Zoë 🙂\n\t');
  });

  it('replaces NUL and halves of surrogate pairs', () => {
    expect(storableText('a\0b\ud83dc\ude42', 100)).toBe('a\uFFFDb\uFFFDc\uFFFD');
  });

  it('does not leave half a character where it cuts', () => {
    expect(storableText('ab🙂cd', 4)).toBe('ab\uFFFD…');
  });

  it('gives well-formed text within the limit, whatever it is given', () => {
    const anyText = fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) });
    fc.assert(
      fc.property(anyText, fc.integer({ min: 1, max: 20 }), (text, maxLength) => {
        const stored = storableText(text, maxLength);
        expect(stored.length).toBeLessThanOrEqual(maxLength);
        expect(stored).not.toMatch(/[\0\p{Surrogate}]/u);
      }),
    );
  });
});
