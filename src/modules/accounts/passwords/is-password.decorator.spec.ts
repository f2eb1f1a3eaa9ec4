import { validateSync } from 'class-validator';
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { isCommonPassword } from './common-passwords.js';
import { IsPassword } from './is-password.decorator.js';

class Choice {
  @IsPassword()
  password: unknown;
}

function faultsOf(password: unknown): string[] {
  const choice = new Choice();
  choice.password = password;
  return validateSync(choice).flatMap(({ constraints }) => Object.values(constraints ?? {}));
}

describe('A password', () => {
  it.each([
    'correct horse battery',
    'xk7#pQ9!vz',
    'ünïcödé wörds',
    '🐎🔋📎🌍🎉🧨🪄🧿🛶🏔️',
    'x'.repeat(5) + 'abcdefgh'.repeat(15),
    'footballs and three oranges',
  ])('may be "%s"', (password) => {
    expect(faultsOf(password)).toEqual([]);
  });

  it.each<[unknown, string]>([
    ['ninechars', 'password must have 10 to 128 characters'],
    // Five people as one sees them, and more than ten code units.
    ['👩👩👩👩👩', 'password must have 10 to 128 characters'],
    ['abcdefghi1'.repeat(13), 'password must have 10 to 128 characters'],
    ['abcdefghi1'.repeat(100_000), 'password must have 10 to 128 characters'],
    [1234567890123, 'password must be a string'],
    [undefined, 'password must be a string'],
    [['correct horse battery'], 'password must be a string'],
  ])('may not be %s', (password, message) => {
    expect(faultsOf(password)).toEqual([message]);
  });

  it.each([
    'password12',
    'Password2026!',
    '1234567890',
    '0987654321',
    'QWERTYUIOP',
    'qwerty123456',
    'iloveyou123',
    'aaaaaaaaaa',
    'ababababab',
    'abcdefghijk',
    'kjihgfedcba',
    '!!!administrator!!!',
    'ｐａｓｓｗｏｒｄ１２',
  ])('may not be one of the common ones: %s', (password) => {
    expect(faultsOf(password)).toEqual(['password is one of the first that anybody would try; take another']);
  });

  it('of random characters is not called common', () => {
    const random = fc.string({
      minLength: 12,
      maxLength: 12,
      unit: fc.constantFrom(...'abcdefghjkmnpqrstuvwxyz!?%-+'),
    });
    fc.assert(
      fc.property(random, (password) => {
        fc.pre(new Set(password).size > 5);
        expect(isCommonPassword(password)).toBe(false);
      }),
    );
  });
});
