import { isJsonObject, type JsonObject, type JsonValue } from '../../../../kernel/exact-json.js';
import type { DisputeReport, DisputeStatus } from '../../disputes/dispute.js';
import type { ProviderRefund } from '../../payment.js';
import type { Returns } from '../../providers/payment-provider.js';
import { amountOf, idOf, moneyOf, objectOf, receivedOf, refundReportOf, textOf } from './paystack-objects.js';
import { refundOf } from './paystack-reference.js';

/** https://paystack.com/docs/api/dispute/#list. What is not here claims money, as far as we know. */
const STATUSES: Readonly<Record<string, DisputeStatus>> = {
  'resolved (declined)': 'won',
  'resolved (merchant-accepted)': 'lost',
  // Who says nothing in time has accepted.
  'resolved (auto-accepted)': 'lost',
  archived: 'closed',
};

interface Found<Report> {
  readonly data: JsonObject;
  readonly report: Report;
}

/**
 * What went back of a transaction. Paystack pays an accepted dispute by a refund, and shows the transaction as reversed: that is one
 * loss, the dispute's. Its refund names it; one that names none is taken for it when the amount is the same and it is not older.
 *
 * @param transaction Paystack's number of it: lists may hold those of others
 * @throws UnreadableObjectError
 */
export function returnsOf(
  transaction: string,
  refunds: readonly JsonObject[],
  disputes: readonly JsonObject[],
): Returns {
  const found = refunds
    .filter((data) => numberOf(data['transaction']) === transaction)
    .map((data) => ({ data, report: providerRefundOf(data) }));
  const disputed = disputes
    .filter((data) => numberOf(data['transaction']) === transaction)
    .map((data) => ({ data, report: disputeReportOf(data) }));
  const taken = new Set<Found<ProviderRefund>>();
  const reports = disputed.map((dispute) => {
    for (const refund of found.filter((each) => isNamed(each, dispute))) taken.add(refund);
    const paidBy = found.find((each) => isLive(each) && isNamed(each, dispute)) ?? unnamed(dispute, found, taken);
    if (paidBy) taken.add(paidBy);
    return paidBy ? { ...dispute.report, paidBy: paidBy.report.reference } : dispute.report;
  });
  const paying = (refund: Found<ProviderRefund>) => (taken.has(refund) ? { paysDispute: true } : {});
  return { refunds: found.map((refund) => ({ ...refund.report, ...paying(refund) })), disputes: reports };
}

function unnamed(
  { data, report }: Found<DisputeReport>,
  found: readonly Found<ProviderRefund>[],
  taken: ReadonlySet<Found<ProviderRefund>>,
): Found<ProviderRefund> | undefined {
  if (report.status !== 'lost') return undefined;
  const openedAt = timeOf(data) ?? 0;
  return found.find(
    (refund) =>
      isLive(refund) &&
      !taken.has(refund) &&
      refund.report.ours === undefined &&
      numberOf(refund.data['dispute']) === undefined &&
      refund.report.amount.minor === report.amount.minor &&
      (timeOf(refund.data) ?? openedAt) >= openedAt,
  );
}

/** Of a dispute that was declined it pays nothing: then it is a refund like others. */
function isNamed({ data }: Found<ProviderRefund>, { report }: Found<DisputeReport>): boolean {
  return numberOf(data['dispute']) === report.reference && (report.status === 'lost' || report.status === 'open');
}

function isLive({ report }: Found<ProviderRefund>): boolean {
  return report.status !== 'failed';
}

function providerRefundOf(data: JsonObject): ProviderRefund {
  return { ...refundReportOf(data), ours: refundOf(data['merchant_note']) };
}

/**
 * The resolution and `refund_amount` decide what is lost: Paystack announces no movement of money.
 *
 * @throws UnreadableObjectError
 */
export function disputeReportOf(data: JsonObject): DisputeReport {
  const { resolution, refund_amount: refundAmount, category } = data;
  const transaction = objectOf(data['transaction']);
  const named = typeof resolution === 'string' && resolution !== '' ? ` (${resolution})` : '';
  const providerStatus = textOf(data, 'status') + named;
  const status = STATUSES[providerStatus] ?? STATUSES[textOf(data, 'status')] ?? 'open';
  const isGiven = refundAmount !== undefined && refundAmount !== null;
  const minor = isGiven ? amountOf(data, 'refund_amount') : receivedOf(transaction);
  const amount = moneyOf(minor, typeof data['currency'] === 'string' ? data : transaction);
  const openedAt = timeOf(data);
  return {
    reference: idOf(data),
    status,
    providerStatus,
    reason: typeof category === 'string' ? category : undefined,
    amount,
    openedAt: openedAt === undefined ? undefined : new Date(openedAt),
    movements: status === 'lost' && minor > 0n ? [{ key: `dispute:${idOf(data)}`, kind: 'withdrawn', amount }] : [],
  };
}

/** Lists name what an object belongs to by its number, or bring it whole. */
function numberOf(value: JsonValue | undefined): string | undefined {
  if (value === undefined || value === null) return undefined;
  return idOf(isJsonObject(value) ? value : { id: value });
}

function timeOf({ createdAt, created_at: created }: JsonObject): number | undefined {
  const text = createdAt ?? created;
  const time = typeof text === 'string' ? Date.parse(text) : NaN;
  return Number.isNaN(time) ? undefined : time;
}
