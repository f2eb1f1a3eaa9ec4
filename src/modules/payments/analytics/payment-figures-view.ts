import { jsonTime } from '../../wallet/index.js';
import type { PaymentFiguresRowDto } from './payment-figures.dto.js';
import type { FiguresRow } from './payment-figures.repository.js';

export function figuresView(row: FiguresRow): PaymentFiguresRowDto {
  return {
    at: jsonTime(row.at),
    provider: row.provider,
    currency: row.currency,
    created: exact(row.created),
    succeeded: exact(row.succeeded),
    failed: exact(row.failed),
    canceled: exact(row.canceled),
    declined: exact(row.declined),
    volume: exact(row.volume),
    refunds: exact(row.refunds),
    refundedVolume: exact(row.refunded_volume),
    returnedRefunds: exact(row.returned_refunds),
    returnedVolume: exact(row.returned_volume),
    disputes: exact(row.disputes),
    withdrawnVolume: exact(row.withdrawn_volume),
    reinstatedVolume: exact(row.reinstated_volume),
    successRate: rateOf(BigInt(row.succeeded), BigInt(row.succeeded) + BigInt(row.failed)),
    refundRate: rateOf(BigInt(row.refunds), BigInt(row.succeeded)),
    disputeRate: rateOf(BigInt(row.disputes), BigInt(row.succeeded)),
  };
}

/** Sums may be larger than a number says exactly; JSON says them all the same. */
function exact(digits: string): number | bigint {
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : BigInt(digits);
}

/** @returns `part` of `whole` to four digits, a half rounded up; null of nothing */
export function rateOf(part: bigint, whole: bigint): number | null {
  return whole === 0n ? null : Number((20_000n * part + whole) / (2n * whole)) / 10_000;
}
