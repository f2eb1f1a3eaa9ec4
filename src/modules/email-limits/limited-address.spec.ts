import { describe, expect, it } from '@jest/globals';
import { ValidationError } from '../../kernel/app-error.js';
import { limitedAddress } from './limited-address.js';

function mistakes(kind: string, email: string): unknown {
  try {
    limitedAddress(kind, email);
  } catch (error) {
    if (error instanceof ValidationError) return error.details['errors'];
  }
  return 'none';
}

describe('limitedAddress', () => {
  it.each(['verification', 'password-reset'])('knows %s, and takes an address in any spelling', (kind) => {
    expect(limitedAddress(kind, 'ANNA@B\u00fccher.example')).toEqual({ kind, email: 'anna@xn--bcher-kva.example' });
  });

  it('names everything that is wrong, and repeats none of it', () => {
    expect(mistakes('newsletter', 'anna@localhost')).toEqual([
      { path: 'kind', message: 'kind must be verification or password-reset' },
      { path: 'email', message: 'email must be an e-mail address' },
    ]);
    expect(mistakes('verification', 'anna')).toHaveLength(1);
    expect(mistakes('newsletter', 'anna@example.com')).toHaveLength(1);
  });
});
