import { describe, expect, it } from '@jest/globals';
import { accountName, userAccount } from './account.js';
import { AccountDirectory } from './account-directory.js';
import type { AccountId } from './ids.js';

function ref(owner: string) {
  return { ...userAccount(owner, 'USD'), id: `id-of-${owner}` as AccountId };
}

function name(owner: string): string {
  return accountName(userAccount(owner, 'USD'));
}

describe('the account directory', () => {
  it('knows what it has learnt, and nothing after it forgot', () => {
    const directory = new AccountDirectory();
    directory.learn([ref('alice')]);
    expect(directory.find(name('alice'))?.id).toBe('id-of-alice');
    expect(directory.find(name('bob'))).toBeUndefined();
    directory.forget();
    expect(directory.find(name('alice'))).toBeUndefined();
  });

  it('keeps those in use and lets go of the others, so that it does not grow for ever', () => {
    const directory = new AccountDirectory();
    directory.learn([ref('busy'), ref('idle')]);
    for (let index = 0; index < 110_000; index++) {
      directory.learn([ref(`other-${index}`)]);
      if (index % 20_000 === 0) directory.find(name('busy'));
    }
    expect(directory.find(name('busy'))?.id).toBe('id-of-busy');
    expect(directory.find(name('idle'))).toBeUndefined();
  });

  it('tells users from system accounts of the same name, and currencies apart', () => {
    const names = [
      accountName({ kind: 'user', owner: 'fees', currency: 'USD' }),
      accountName({ kind: 'system', owner: 'fees', currency: 'USD' }),
      accountName({ kind: 'user', owner: 'fees', currency: 'EUR' }),
      accountName({ kind: 'user', owner: 'Dfees', currency: 'USD' }),
    ];
    expect(new Set(names).size).toBe(4);
  });
});
