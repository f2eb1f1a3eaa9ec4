import { jsonTime } from '../../wallet/index.js';
import type { ReconciliationDifferenceDto, ReconciliationDto } from './reconciliation.dto.js';
import type { ReconciliationDifference } from './reconciliation-difference.entity.js';
import type { Reconciliation } from './reconciliation.entity.js';

/** @param open differences that are open now */
export function reconciliationView(run: Reconciliation, open: number): ReconciliationDto {
  const { id, provider, mode, status, step, movements, compared, asked, report, error, createdBy } = run;
  return {
    id,
    provider,
    mode,
    from: jsonTime(run.windowFrom),
    to: jsonTime(run.windowTo),
    status,
    progress: { step, collectedTo: timeOrNull(run.collectedTo), movements, compared, asked },
    report: report && {
      counts: report.counts,
      totals: [...report.totals],
      fees: [...report.fees],
      balances: [...report.balances],
    },
    open,
    error,
    createdBy,
    createdAt: jsonTime(run.createdAt),
    startedAt: timeOrNull(run.startedAt),
    finishedAt: timeOrNull(run.finishedAt),
  };
}

export function differenceView(row: ReconciliationDifference): ReconciliationDifferenceDto {
  const { id, kind, state, movementKind, movement, object, reference, note, resolvedBy } = row;
  const provided = numberOrNull(row.providerAmount);
  const booked = numberOrNull(row.bookedAmount);
  const isOfOne = provided === null || booked === null || row.providerCurrency === row.bookedCurrency;
  return {
    id,
    kind,
    state,
    movementKind,
    movement,
    object,
    paymentId: row.payment,
    refundId: row.refund,
    reference,
    providerAmount: provided,
    providerCurrency: row.providerCurrency,
    bookedAmount: booked,
    bookedCurrency: row.bookedCurrency,
    difference: isOfOne ? (provided ?? 0) - (booked ?? 0) : null,
    movedAt: jsonTime(row.movedAt),
    note,
    resolvedBy,
  };
}

function timeOrNull(time: Date | null): string | null {
  return time && jsonTime(time);
}

function numberOrNull(amount: string | null): number | null {
  return amount === null ? null : Number(amount);
}
