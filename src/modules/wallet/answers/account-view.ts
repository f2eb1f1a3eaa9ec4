import type { AccountKey, BalanceAt, LedgerAccount } from '../../ledger/index.js';
import type { AccountDto, BalanceDto } from '../dto/account.dto.js';
import { jsonTime } from './json-time.js';

export function accountView(account: LedgerAccount): AccountDto {
  return {
    id: account.id,
    userId: account.owner,
    currency: account.currency,
    balance: Number(account.balance.minor),
    held: Number(account.held.minor),
    available: Number(account.available.minor),
    allowNegative: account.allowNegative,
    frozen: account.status === 'FROZEN',
    createdAt: jsonTime(account.createdAt),
  };
}

export function balanceView(
  { owner, currency }: AccountKey,
  { balance, held, available, debt, asOf }: BalanceAt,
): BalanceDto {
  return {
    userId: owner,
    currency,
    balance: Number(balance.minor),
    held: Number(held.minor),
    available: Number(available.minor),
    debt: Number(debt.minor),
    asOf: jsonTime(asOf),
  };
}
