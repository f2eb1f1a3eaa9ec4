import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { newId } from '../../kernel/ids.js';
import { IdempotencyKeyInvalidError } from './idempotency.errors.js';
import { readIdempotencyKey } from './key-header.js';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';
const keys = fc.string({ unit: fc.constantFrom(...ALPHABET), minLength: 16, maxLength: 128 });
/** How a client may name the header, and spell the value. */
const names = fc.constantFrom('idempotency-key', 'x-idempotency-key');
const spelled = (key: string) => fc.constantFrom(key, `"${key}"`);

const isKey = (text: string) =>
  text.length >= 16 && text.length <= 128 && [...text].every((character) => ALPHABET.includes(character));

describe('readIdempotencyKey', () => {
  it('reads every key of 16 to 128 letters, digits, "-" and "_" from either header, bare or quoted', () => {
    fc.assert(
      fc.property(
        keys.chain((key) => fc.tuple(fc.constant(key), names, spelled(key))),
        ([key, name, value]) => {
          expect(readIdempotencyKey({ [name]: value })).toBe(key);
        },
      ),
    );
  });

  it('takes both headers when they say the same, however they are quoted', () => {
    fc.assert(
      fc.property(
        keys.chain((key) => fc.tuple(fc.constant(key), spelled(key), spelled(key))),
        ([key, plain, prefixed]) => {
          expect(readIdempotencyKey({ 'idempotency-key': plain, 'x-idempotency-key': prefixed })).toBe(key);
        },
      ),
    );
  });

  it('refuses two headers that differ', () => {
    fc.assert(
      fc.property(keys, keys, (plain, prefixed) => {
        fc.pre(plain !== prefixed);
        const headers = { 'idempotency-key': plain, 'x-idempotency-key': prefixed };
        expect(() => readIdempotencyKey(headers)).toThrow(IdempotencyKeyInvalidError);
      }),
    );
  });

  it('refuses every other text', () => {
    const texts = fc.oneof(fc.string({ maxLength: 140 }), fc.string({ unit: fc.constantFrom(...ALPHABET, '"', ' ') }));
    fc.assert(
      fc.property(texts, names, (text, name) => {
        const unquoted = /^"(.*)"$/s.exec(text)?.[1] ?? text;
        fc.pre(!isKey(unquoted));
        expect(() => readIdempotencyKey({ [name]: text })).toThrow(IdempotencyKeyInvalidError);
      }),
    );
  });

  it.each([
    ['too short', 'a'.repeat(15)],
    ['too long', 'a'.repeat(129)],
    ['empty', ''],
    ['quoted on one side', `"${'a'.repeat(20)}`],
    ['quoted twice', `""${'a'.repeat(20)}""`],
    ['with a parameter', `"${'a'.repeat(20)}";v=1`],
    ['with a line break behind it', `${'a'.repeat(20)}\n`],
    ['beyond ASCII', 'é'.repeat(20)],
    ['the header sent twice, as Node joins it', `${'a'.repeat(20)}, ${'a'.repeat(20)}`],
    ['the header sent twice, quoted', `"${'a'.repeat(20)}", "${'a'.repeat(20)}"`],
  ])('refuses one that is %s', (_, text) => {
    expect(() => readIdempotencyKey({ 'idempotency-key': text })).toThrow(IdempotencyKeyInvalidError);
  });

  it('refuses a malformed header beside a good one', () => {
    const good = newId();
    expect(() => readIdempotencyKey({ 'idempotency-key': good, 'x-idempotency-key': '' })).toThrow('X-Idempotency-Key');
  });

  it('takes a UUID, and knows of none when there is no header', () => {
    const uuid = newId();
    expect(readIdempotencyKey({ 'idempotency-key': uuid })).toBe(uuid);
    expect(readIdempotencyKey({ 'content-type': 'application/json' })).toBeUndefined();
  });
});
