import type { Stripe } from 'stripe';

/** A Dispute as Stripe makes it: whole, as the compiler compares it with Stripe's types. */
export function newDispute(
  given: Pick<Stripe.Dispute, 'id' | 'amount' | 'created' | 'charge' | 'currency' | 'payment_intent' | 'status'>,
): Stripe.Dispute {
  return {
    object: 'dispute',
    ...given,
    balance_transactions: [],
    enhanced_eligibility_types: [],
    evidence: NO_EVIDENCE,
    evidence_details: {
      due_by: given.created + 7 * 86_400,
      enhanced_eligibility: {},
      has_evidence: false,
      past_due: false,
      submission_count: 0,
      submission_method: 'not_submitted',
    },
    intended_submission_method: 'manual',
    is_charge_refundable: given.status.startsWith('warning_'),
    livemode: false,
    metadata: {},
    network_reason_code: '10.4',
    reason: 'fraudulent',
  };
}

/** What is other in the balance transaction of a dispute than usual: its fee is not in the amount. */
export function disputeTransaction(
  dispute: Stripe.Dispute,
  amount: number,
  { currency = dispute.currency, fee = 0 }: { currency?: string; fee?: number },
): Partial<Stripe.BalanceTransaction> {
  const fees = { amount: fee, application: null, currency, description: 'Dispute fee', type: 'stripe_fee' };
  return {
    currency,
    description: `Chargeback ${amount < 0 ? 'withdrawal' : 'reversal'} for ${dispute.id}`,
    exchange_rate: currency === dispute.currency ? null : 0.92,
    fee,
    fee_details: fee === 0 ? [] : [fees],
    net: amount - fee,
    reporting_category: amount < 0 ? 'dispute' : 'dispute_reversal',
    status: 'available',
  };
}

const NO_EVIDENCE: Stripe.Dispute.Evidence = {
  access_activity_log: null,
  billing_address: null,
  cancellation_policy: null,
  cancellation_policy_disclosure: null,
  cancellation_rebuttal: null,
  customer_communication: null,
  customer_email_address: null,
  customer_name: null,
  customer_purchase_ip: null,
  customer_signature: null,
  duplicate_charge_documentation: null,
  duplicate_charge_explanation: null,
  duplicate_charge_id: null,
  enhanced_evidence: {},
  product_description: null,
  receipt: null,
  refund_policy: null,
  refund_policy_disclosure: null,
  refund_refusal_explanation: null,
  service_date: null,
  service_documentation: null,
  shipping_address: null,
  shipping_carrier: null,
  shipping_date: null,
  shipping_documentation: null,
  shipping_tracking_number: null,
  uncategorized_file: null,
  uncategorized_text: null,
};
