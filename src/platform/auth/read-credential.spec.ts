import { describe, expect, it } from '@jest/globals';
import { readCredential } from './read-credential.js';

/** As Node would parse these header lines: the first `authorization` is kept, repeated others are joined. */
function request(...lines: [name: string, value: string][]) {
  const headers: Record<string, string> = {};
  for (const [name, value] of lines) {
    const key = name.toLowerCase();
    if (key !== 'authorization' && key in headers) headers[key] += `, ${value}`;
    else headers[key] ??= value;
  }
  return { headers, rawHeaders: lines.flat() };
}

describe('readCredential', () => {
  it('reads a bearer token, whatever the case of the scheme and the header', () => {
    expect(readCredential(request(['Authorization', 'Bearer hf_abc']))).toEqual({ credential: 'hf_abc' });
    expect(readCredential(request(['AUTHORIZATION', 'bearer   hf_abc']))).toEqual({ credential: 'hf_abc' });
  });

  it('reads an X-API-Key header', () => {
    expect(readCredential(request(['X-API-Key', 'hf_abc']))).toEqual({ credential: 'hf_abc' });
  });

  it('accepts both when they say the same, and refuses them when they differ', () => {
    expect(readCredential(request(['Authorization', 'Bearer hf_abc'], ['x-api-key', 'hf_abc']))).toEqual({
      credential: 'hf_abc',
    });
    expect(readCredential(request(['Authorization', 'Bearer hf_abc'], ['x-api-key', 'hf_abd']))).toEqual({
      fault: 'ambiguous',
    });
  });

  it('says missing when neither header is there', () => {
    expect(readCredential(request(['Accept', '*/*']))).toEqual({ fault: 'missing' });
  });

  it.each(['Authorization', 'X-API-Key'])('refuses a second %s header even with the same value', (name) => {
    const value = name === 'Authorization' ? 'Bearer hf_abc' : 'hf_abc';
    expect(readCredential(request([name, value], [name.toLowerCase(), value]))).toEqual({ fault: 'ambiguous' });
  });

  it.each([
    '',
    'Bearer',
    'Bearer ',
    'hf_abc',
    'Basic aGY6YWJj',
    'Bearer hf_a hf_b',
    'Bearer hf_\u00e9',
    'Bearerhf_abc',
  ])('refuses "Authorization: %s" as malformed', (value) => {
    expect(readCredential(request(['Authorization', value]))).toEqual({ fault: 'malformed' });
  });

  it('refuses an unusable Authorization header even beside a good X-API-Key', () => {
    expect(readCredential(request(['Authorization', 'Basic aGY6YWJj'], ['X-API-Key', 'hf_abc']))).toEqual({
      fault: 'malformed',
    });
  });

  it.each(['', 'hf_a hf_b', 'hf_\u00e9'])('refuses "X-API-Key: %s" as malformed', (value) => {
    expect(readCredential(request(['X-API-Key', value]))).toEqual({ fault: 'malformed' });
  });
});
