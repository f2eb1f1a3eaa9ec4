import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { generateApiKey, isApiKey, isMistypedApiKey, shownPrefix } from './api-key-format.js';

const environment = fc.constantFrom('live' as const, 'test' as const);

describe('API key format', () => {
  it('always gives keys of one length and alphabet that pass their own checksum', () => {
    fc.assert(
      fc.property(environment, (env) => {
        const key = generateApiKey(env);
        expect(key).toMatch(new RegExp(`^hf_${env}_[0-9A-Za-z]{49}$`));
        expect(isApiKey(key)).toBe(true);
        expect(isMistypedApiKey(key)).toBe(false);
      }),
    );
  });

  it('never gives the same key twice', () => {
    const keys = Array.from({ length: 1000 }, () => generateApiKey('test'));
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('has a checksum anyone can compute again', () => {
    expect(isMistypedApiKey(`hf_test_${'0'.repeat(43)}1Ac3O3`)).toBe(false);
  });

  it('finds any single wrong character and any two swapped neighbours', () => {
    fc.assert(
      fc.property(environment, fc.nat(48), fc.constantFrom(...'0Az9'), (env, at, replacement) => {
        const key = generateApiKey(env);
        const index = key.length - 49 + at;
        const wrong = key.slice(0, index) + replacement + key.slice(index + 1);
        fc.pre(wrong !== key);
        expect(isMistypedApiKey(wrong)).toBe(true);
      }),
    );
    fc.assert(
      fc.property(fc.nat(47), (at) => {
        const key = generateApiKey('live');
        const index = key.length - 49 + at;
        const swapped = key.slice(0, index) + key.charAt(index + 1) + key.charAt(index) + key.slice(index + 2);
        fc.pre(swapped !== key);
        expect(isMistypedApiKey(swapped)).toBe(true);
      }),
    );
  });

  it('takes a live key typed as a test key for mistyped', () => {
    expect(isMistypedApiKey(generateApiKey('live').replace('hf_live_', 'hf_test_'))).toBe(true);
  });

  it("says nothing against an operator's own key, which has no checksum", () => {
    expect(isMistypedApiKey('hf_0123456789abcdef0123456789abcdef')).toBe(false);
    expect(isMistypedApiKey(`hf_live_${'a'.repeat(48)}`)).toBe(false);
    expect(isMistypedApiKey(`hf_live_${'a'.repeat(50)}`)).toBe(false);
  });

  it('accepts as a key only hf_ and 29 or more printable characters', () => {
    expect(isApiKey(`hf_${'x'.repeat(29)}`)).toBe(true);
    expect(isApiKey(`hf_${'x'.repeat(28)}`)).toBe(false);
    expect(isApiKey(`hf_${'x'.repeat(28)} `)).toBe(false);
    expect(isApiKey(`hf_${'x'.repeat(28)}\u00e9`)).toBe(false);
    expect(isApiKey(`sk_${'x'.repeat(40)}`)).toBe(false);
  });

  it('shows four characters of the secret and no more', () => {
    expect(shownPrefix('hf_live_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789')).toBe('hf_live_AbCd');
    expect(shownPrefix('hf_test_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789')).toBe('hf_test_AbCd');
    expect(shownPrefix('hf_0123456789abcdef0123456789abcdef')).toBe('hf_0123');
  });
});
