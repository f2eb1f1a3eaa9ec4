import { describe, expect, it } from '@jest/globals';
import { describeFailure } from './failed-attempt.js';

describe('what is kept of a failed attempt', () => {
  it.each([
    ['an address', new Error('550 5.1.1 <anna.o@example.com>: user unknown'), 'anna.o'],
    ['an address in quotes', new Error('no "anna o"@example.com here'), 'example.com'],
    ['a link with its token', new Error('rejected: https://app.example.com/verify?token=abcdef'), 'abcdef'],
    ['a bare token', new Error(`rejected: ${'aB3_'.repeat(11)}`), 'aB3_aB3_'],
    [
      'a token of ours, broken by quoted-printable',
      new Error('was hfm_UnGTT3zC1ef07wBPKQJDwjdF4roC= XGq5JnF5x4rj6Po for'),
      'XGq5',
    ],
    ['a short run of one', new Error('was hfr_abc=\r\ndefghijkl'), 'defghijkl'],
    ['a link, broken likewise', new Error('at https://x.example/#token=\r\nabcdefghijkl'), 'abcdefghijkl'],
    ['a token in hex', new Error(`rejected: ${'0f'.repeat(32)}`), '0f0f'],
    ['a provider key', new Error('bad key sk_live_abcdefghijkl'), 'abcdefghijkl'],
    ['a password in a URL', new Error('smtp://me:abcdefghijkl@mail.example.com refused'), 'abcdefghijkl'],
  ])('has no secret and no address: %s', (_, error, secret) => {
    expect(describeFailure(error)).not.toContain(secret);
  });

  it('says what went wrong, with the name of the error', () => {
    expect(describeFailure(new RangeError('4 is not 5'))).toBe('RangeError: 4 is not 5');
    expect(describeFailure('thrown text')).toContain('thrown text');
  });

  it('keeps job ids, which find the log line', () => {
    expect(describeFailure(new Error('job 0199f6c2-7a3f-7c1e-8000-0a1b2c3d4e5f'))).toContain('0a1b2c3d4e5f');
  });

  it('can be stored: no NUL, no half of a surrogate pair, no more than 2000 characters', () => {
    expect(describeFailure(new Error(`a\0b\ud800${'x y '.repeat(2000)}`))).toMatch(/^Error: ab\ufffd[x y]+$/);
    expect(describeFailure(new Error('x y '.repeat(2000)))).toHaveLength(2000);
  });
});
