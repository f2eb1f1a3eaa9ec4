import { formatFields, formatTable } from '../table.js';

/** What of the server's answer is shown. */
export interface Reconciliation {
  id: string;
  provider: string;
  mode: string;
  from: string;
  to: string;
  status: string;
  progress: { step: string; movements: number; compared: number; asked: number };
  report: {
    counts: Record<string, number>;
    balances: { currency: string; provider: number; clearing: number; inTransit: number; difference: number }[];
    fees: { day: string; currency: string; amount: number }[];
  } | null;
  open: number;
  error: string | null;
}

export interface Difference {
  kind: string;
  movementKind: string;
  movement: string;
  object: string | null;
  paymentId: string | null;
  providerAmount: number | null;
  providerCurrency: string | null;
  bookedAmount: number | null;
  bookedCurrency: string | null;
  difference: number | null;
  movedAt: string;
  note: string | null;
}

const COUNTS: Readonly<Record<string, string>> = {
  movements: 'movements',
  matched: 'matched',
  healed: 'healed',
  missingHere: 'missing here',
  missingThere: 'missing there',
  amount: 'amount differs',
  currency: 'currency differs',
  status: 'status differs',
  inTransit: 'in transit',
  foreign: 'foreign',
};

/** Amounts are minor units, as everywhere in the API. */
export function describeReport({ provider, mode, from, to, report, open }: Reconciliation): string {
  const counts = Object.entries(COUNTS).map(([name, words]) => [words, String(report?.counts[name] ?? 0)]);
  const balances = (report?.balances ?? []).map((each) => [
    each.currency,
    String(each.provider),
    String(each.clearing),
    String(each.inTransit),
    String(each.difference),
  ]);
  return [
    `${provider} (${mode}), ${from} to ${to}: ${open === 0 ? 'nothing is open' : `${open} open`}`,
    formatFields(Object.fromEntries(counts) as Record<string, string>),
    ...(balances.length === 0
      ? []
      : ['', formatTable(['CURRENCY', 'PROVIDER', 'CLEARING', 'IN TRANSIT', 'DIFFERENCE'], balances)]),
  ].join('\n');
}

export function describeDifferences(differences: readonly Difference[]): string {
  const rows = differences.map((each) => [
    each.kind,
    each.movementKind,
    amount(each.providerAmount, each.providerCurrency),
    amount(each.bookedAmount, each.bookedCurrency),
    each.difference === null ? '' : String(each.difference),
    each.movedAt,
    each.object ?? each.movement,
    each.paymentId ?? '',
    each.note ?? '',
  ]);
  const header = ['KIND', 'OF', 'PROVIDER', 'BOOKED', 'DIFFERENCE', 'MOVED', 'OBJECT', 'PAYMENT', 'NOTE'];
  return `\n${formatTable(header, rows)}`;
}

function amount(minor: number | null, currency: string | null): string {
  return minor === null ? '' : `${minor} ${currency ?? ''}`.trim();
}
