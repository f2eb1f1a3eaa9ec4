import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { describe, expect, it } from '@jest/globals';
import { IsEmailAddress } from './is-email-address.decorator.js';

class Registration {
  @IsEmailAddress()
  email: unknown;
}

const mistakes = (email: unknown) =>
  validateSync(plainToInstance(Registration, { email })).flatMap(({ constraints }) => Object.values(constraints ?? {}));

describe('IsEmailAddress', () => {
  it.each(['anna@example.com', 'ANNA@B\u00dcCHER.example'])('accepts %s', (email) =>
    expect(mistakes(email)).toEqual([]),
  );

  it.each([
    'anna',
    'anna@localhost',
    '',
    7,
    null,
    undefined,
    ['anna@example.com'],
    { toString: () => 'anna@example.com' },
  ])('refuses %j', (email) => expect(mistakes(email)).toEqual(['email must be an e-mail address']));
});
