import { describe, expect, it } from '@jest/globals';
import type { Currency } from '../../kernel/currency.js';
import { MAX_AMOUNT, Money } from '../../kernel/money.js';
import { systemAccount, userAccount } from './account.js';
import { checkPosting } from './check-posting.js';
import type { HoldId, TransferId } from './ids.js';
import type { HoldPosting, TransferPosting } from './posting.js';

const HOLD = '01900000-0000-7000-8000-0000000000aa' as HoldId;

function usd(minor: bigint): Money {
  return Money.of(minor, 'USD');
}

/** Of an account whose currency has left the list. */
function unlisted(currency: string): Currency {
  return currency as Currency;
}

function transfer(more: Partial<TransferPosting> = {}): TransferPosting {
  const [debit, credit] = [userAccount('alice', 'USD'), userAccount('bob', 'USD')];
  return { type: 'transfer', kind: 'TRANSFER', debit, credit, amount: usd(1n), ...more };
}

function hold(more: Partial<HoldPosting> = {}): HoldPosting {
  const [account, credit] = [userAccount('alice', 'USD'), systemAccount('external', 'USD')];
  return { type: 'hold', account, credit, amount: usd(1n), expiresInSeconds: 60, ...more };
}

describe('a posting, before anything is locked', () => {
  it.each([
    ['an ordinary transfer', transfer()],
    ['the largest amount', transfer({ amount: usd(MAX_AMOUNT) })],
    [
      'a user called like a system account',
      transfer({ debit: systemAccount('fees', 'USD'), credit: userAccount('fees', 'USD') }),
    ],
    ['a transfer with all there is to say', transfer({ category: 'usage', reference: 'r', metadata: { a: ['ü', 1] } })],
    ['an ordinary hold', hold()],
  ])('passes as %s', (_, posting) => {
    expect(checkPosting(posting)).toBeUndefined();
  });

  it.each([
    ['no amount', transfer({ amount: usd(0n) }), 'INVALID_AMOUNT'],
    ['an amount below zero', transfer({ amount: usd(-1n) }), 'INVALID_AMOUNT'],
    ['an amount no double holds', transfer({ amount: usd(MAX_AMOUNT + 1n) }), 'INVALID_AMOUNT'],
    [
      'no such currency',
      transfer({ debit: userAccount('a', unlisted('XXX')), credit: userAccount('b', unlisted('XXX')) }),
      'UNKNOWN_CURRENCY',
    ],
    ['a currency in lower case', transfer({ debit: userAccount('a', unlisted('usd')) }), 'UNKNOWN_CURRENCY'],
    ['two currencies', transfer({ credit: userAccount('bob', 'EUR') }), 'CURRENCY_MISMATCH'],
    ['an amount in another currency', transfer({ amount: Money.of(1n, 'EUR') }), 'CURRENCY_MISMATCH'],
    ['a hold in another currency', hold({ amount: Money.of(1n, 'EUR') }), 'CURRENCY_MISMATCH'],
    ['one account', transfer({ credit: userAccount('alice', 'USD') }), 'SELF_TRANSFER'],
    ['an owner PostgreSQL refuses', transfer({ credit: userAccount('b\0', 'USD') }), 'NOT_FOUND'],
    ['no owner', transfer({ debit: userAccount('', 'USD') }), 'NOT_FOUND'],
    ['a text PostgreSQL refuses', transfer({ description: 'a\0' }), 'VALIDATION_FAILED'],
    ['a reference PostgreSQL refuses', transfer({ reference: 'a\0' }), 'VALIDATION_FAILED'],
    ['metadata PostgreSQL refuses', transfer({ metadata: { a: '\0' } }), 'VALIDATION_FAILED'],
    ['a hold of nothing', hold({ amount: usd(0n) }), 'INVALID_AMOUNT'],
    ['a hold for no time', hold({ expiresInSeconds: 0 }), 'VALIDATION_FAILED'],
    ['a hold for part of a second', hold({ expiresInSeconds: 1.5 }), 'VALIDATION_FAILED'],
    ['a hold for ever', hold({ expiresInSeconds: 1e10 }), 'VALIDATION_FAILED'],
    ['a capture of nothing', { type: 'capture', holdId: HOLD, amount: 0n } as const, 'INVALID_AMOUNT'],
    ['a capture of no hold', { type: 'capture', holdId: '1' as HoldId } as const, 'NOT_FOUND'],
    ['a void of no hold', { type: 'void', holdId: "' OR 1=1" as HoldId } as const, 'NOT_FOUND'],
    ['a reversal of no transfer', { type: 'reverse', transferId: '' as TransferId } as const, 'NOT_FOUND'],
  ])('with %s is refused', (_, posting, code) => {
    expect(checkPosting(posting)?.code).toBe(code);
  });
});
