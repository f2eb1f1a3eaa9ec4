import type { Money } from '../../../kernel/money.js';
import type { ChargeReport, ChargeStatus, PaymentMode } from '../payment.js';

/**
 * Which status may follow which. A provider's news come late, twice and out of order: what is not here is old news, or a
 * contradiction, and changes nothing. `failed` is left once the provider proves success: a customer may pay on the same charge
 * after a decline.
 */
const MOVES: Readonly<Record<ChargeStatus, readonly ChargeStatus[]>> = {
  created: ['requires_action', 'processing', 'requires_capture', 'succeeded', 'failed', 'canceled', 'declined'],
  requires_action: ['processing', 'requires_capture', 'succeeded', 'failed', 'canceled'],
  processing: ['requires_action', 'requires_capture', 'succeeded', 'failed', 'canceled'],
  requires_capture: ['succeeded', 'failed', 'canceled'],
  failed: ['requires_capture', 'succeeded', 'canceled'],
  succeeded: [],
  canceled: [],
  declined: [],
};

export function mayFollow(from: ChargeStatus, to: ChargeStatus): boolean {
  return MOVES[from].includes(to);
}

/** What is asked of a charge, and how far it has come. */
export interface ChargeSoFar {
  readonly status: ChargeStatus;
  readonly mode: PaymentMode;
  /** What was asked for; of a capture in part, that part. */
  readonly expected: Money;
  /** What was received and booked; undefined before. */
  readonly settled: Money | undefined;
  /** Why nobody gets the money before somebody has looked at it; undefined when nothing is wrong with it, or they have. */
  readonly heldFor?: string | undefined;
}

/** Where the money that a charge brought belongs. */
export interface Settlement {
  readonly amount: Money;
  /** `suspense`: it is there, and something about it is not as it was asked for. */
  readonly to: 'wallet' | 'suspense';
  /** Why it went to suspense, for whoever looks into it. */
  readonly review?: string;
}

export interface ChargeChange {
  /** The status from now on; undefined when it stays. */
  readonly status?: ChargeStatus;
  readonly settlement?: Settlement;
}

/**
 * What a provider's report changes: nothing, the status, or the status together with the one settlement that a payment has.
 * Pure, so that every order of reports can be tried.
 */
export function changeBy(report: ChargeReport, soFar: ChargeSoFar): ChargeChange {
  if (report.status === soFar.status) return {};
  if (report.status === 'succeeded') return settledBy(report, soFar);
  return mayFollow(soFar.status, report.status) ? { status: report.status } : {};
}

function settledBy(report: ChargeReport, soFar: ChargeSoFar): ChargeChange {
  // Without money there is nothing to settle, whatever it is called.
  if (soFar.settled !== undefined || report.received.minor <= 0n) return {};
  const review = whyReviewed(report, soFar);
  const settlement: Settlement = {
    amount: report.received,
    ...(review === undefined ? { to: 'wallet' } : { to: 'suspense', review }),
  };
  // Somebody gave that order up: the money is booked, the order stays canceled.
  return mayFollow(soFar.status, 'succeeded') ? { status: 'succeeded', settlement } : { settlement };
}

function whyReviewed(
  { mode, received }: ChargeReport,
  { status, mode: askedMode, expected, heldFor }: ChargeSoFar,
): string | undefined {
  if (status === 'canceled' || status === 'declined') return `It succeeded after it was ${status}`;
  if (mode !== askedMode) return `It was asked for in ${askedMode} mode and received in ${mode} mode`;
  if (received.currency !== expected.currency || received.minor !== expected.minor) {
    const [got, asked] = [received, expected].map((money) => `${money.toDecimal()} ${money.currency}`);
    return `${got} was received instead of ${asked}`;
  }
  return heldFor;
}
