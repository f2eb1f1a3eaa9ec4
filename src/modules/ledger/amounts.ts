import type { Currency } from '../../kernel/currency.js';
import { Money } from '../../kernel/money.js';
import type { LedgerAccount } from './account.js';

/** What is read of an account, in minor units. */
export interface AmountsRow {
  balance: string;
  held: string;
  debt: string;
}

/**
 * What a user has and owes at once is repaid before the next posting is decided: a hold that is over or a thawed account
 * may have made it available since the last. So it cannot be spent, and nobody is told that it can.
 */
export function amountsOf(row: AmountsRow, currency: Currency): Pick<LedgerAccount, keyof AmountsRow | 'available'> {
  const [balance, held, debt] = [BigInt(row.balance), BigInt(row.held), BigInt(row.debt)];
  const free = balance - held;
  const repayable = free > 0n ? free : 0n;
  const repaid = repayable < debt ? repayable : debt;
  const money = (minor: bigint) => Money.of(minor, currency);
  return { balance: money(balance), held: money(held), debt: money(debt), available: money(free - repaid) };
}
