import { randomBytes } from 'node:crypto';
import { listOf } from './paystack-lists.js';
import { type PaystackReply, refusal } from './paystack-reply.js';

export interface Transaction {
  readonly id: number;
  readonly reference: string;
  readonly email: string;
  readonly requested: number;
  readonly accessCode: string;
  status: string;
  /** What the customer was charged. */
  amount: number | string;
  /** As it is shown; some answers have none. */
  requestedAmount: number | string | null;
  currency: string;
  domain: string;
  metadata: unknown;
  paidAt: string | null;
  createdAt: string;
}

export interface Refund {
  readonly id: number;
  readonly transaction: Transaction;
  readonly amount: number;
  /** Null where nobody wrote one, as in the dashboard. */
  readonly merchantNote: string | null;
  /** Paystack's number of the dispute that it pays. */
  readonly dispute: number | null;
  readonly createdAt: string;
  status: string;
  /** False: it is not in the list yet. */
  isListed: boolean;
}

export interface Dispute {
  readonly id: number;
  readonly transaction: Transaction;
  readonly createdAt: string;
  status: string;
  resolution: string | null;
  refundAmount: number | string | null;
  currency: string | null;
}

/** What a customer's payment may look like. */
export type Paid = Partial<Pick<Transaction, 'amount' | 'requestedAmount' | 'currency' | 'domain' | 'metadata'>>;

const CURRENCIES = ['NGN', 'GHS', 'ZAR', 'KES', 'USD'];
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;
const REFERENCE = /^[A-Za-z0-9.=-]{1,100}$/;
/** https://paystack.com/docs/api/transaction/#initialize */
const INITIALIZE = ['amount', 'email', 'channels', 'currency', 'reference', 'callback_url', 'plan', 'metadata'];
/** https://paystack.com/docs/api/refund/#create */
const REFUND = ['transaction', 'amount', 'currency', 'customer_note', 'merchant_note'];

/** An account at Paystack: what it holds, and what is refused. Stricter than the real one about what nobody should send. */
export class PaystackAccount {
  readonly transactions = new Map<string, Transaction>();
  readonly refunds: Refund[] = [];
  readonly disputes: Dispute[] = [];
  /** Those that the account may take; all of Paystack's unless told. */
  currencies = CURRENCIES;
  /** New refunds are in the list at once. */
  listsRefunds = true;
  private lastId = 4_099_260_000 + Math.floor(Math.random() * 1_000_000);

  initialize(body: Record<string, unknown>): PaystackReply {
    const { email, amount, currency = 'NGN', reference, metadata, ...rest } = body;
    const wrong =
      strangers(rest, INITIALIZE) ??
      (typeof email === 'string' && EMAIL.test(email) ? undefined : 'Invalid Email Address Passed') ??
      (isAmount(amount) ? undefined : 'Invalid Amount Sent') ??
      (this.currencies.includes(String(currency)) ? undefined : 'Currency not supported by merchant') ??
      (typeof reference === 'string' && REFERENCE.test(reference) ? undefined : 'Invalid character in reference') ??
      (isJsonText(metadata) ? undefined : 'metadata must be stringified JSON');
    if (wrong !== undefined) return refusal(400, wrong, 'invalid_params');
    if (this.transactions.has(String(reference))) {
      return refusal(400, 'Duplicate Transaction Reference', 'duplicate_reference');
    }
    const transaction: Transaction = {
      id: this.nextId(),
      reference: String(reference),
      email: String(email),
      requested: Number(amount),
      accessCode: randomBytes(8).toString('hex'),
      status: 'abandoned',
      amount: Number(amount),
      requestedAmount: Number(amount),
      currency: String(currency),
      domain: 'test',
      metadata: JSON.parse(String(metadata)),
      paidAt: null,
      createdAt: new Date().toISOString(),
    };
    this.transactions.set(transaction.reference, transaction);
    return success('Authorization URL created', {
      authorization_url: `https://checkout.paystack.com/${transaction.accessCode}`,
      access_code: transaction.accessCode,
      reference: transaction.reference,
    });
  }

  verify(reference: string): PaystackReply {
    const transaction = this.transactions.get(reference);
    if (transaction === undefined) {
      return refusal(400, 'Transaction reference not found.', 'transaction_not_found');
    }
    return success('Verification successful', transactionShown(transaction));
  }

  refund(body: Record<string, unknown>): PaystackReply {
    const { transaction: of, amount, currency, merchant_note: merchantNote, ...rest } = body;
    const transaction = this.transactions.get(String(of));
    if (transaction === undefined) return refusal(404, 'Transaction not found', 'not_found');
    const left = Number(transaction.amount) - this.refundedOf(transaction);
    const wrong =
      strangers(rest, REFUND) ??
      (transaction.status === 'success' ? undefined : 'Transaction has not been completed') ??
      (Number.isSafeInteger(amount) && Number(amount) > 0 ? undefined : 'Invalid amount') ??
      (currency === transaction.currency ? undefined : 'Currency does not match the transaction') ??
      (typeof merchantNote === 'string' && merchantNote.length <= 255 ? undefined : 'merchant_note must be a string') ??
      (Number(amount) <= left ? undefined : 'Refund amount cannot be more than transaction amount');
    if (wrong !== undefined) return refusal(400, wrong, 'invalid_params');
    const refund = this.addRefund(transaction, { amount: Number(amount), merchantNote: String(merchantNote) });
    const { id, domain, reference } = transaction;
    const shown = {
      id,
      domain,
      reference,
      amount: transaction.amount,
      currency: transaction.currency,
      channel: 'card',
    };
    return success('Refund has been queued for processing', { ...refundShown(refund), transaction: shown });
  }

  listTransactions(query: URLSearchParams): PaystackReply {
    const all = [...this.transactions.values()].map((each) => ({ ...each, shown: transactionShown(each) }));
    return listOf('transaction', all, query);
  }

  listDisputes(query: URLSearchParams): PaystackReply {
    const all = this.disputes.map((each) => ({ ...each, shown: disputeShown(each) }));
    return listOf('dispute', all, query);
  }

  /** Of one transaction, or of the whole account. */
  listRefunds(query: URLSearchParams): PaystackReply {
    const listed = this.refunds.filter(({ isListed }) => isListed);
    return listOf(
      'refund',
      listed.map((each) => ({ ...each, shown: refundShown(each) })),
      query,
    );
  }

  /** Somebody refunds in the dashboard: it names nothing of ours. */
  refundInDashboard(reference: string, amount: number, dispute: Dispute | null = null): Refund {
    return this.addRefund(this.known(reference), { amount, merchantNote: null, dispute: dispute?.id ?? null });
  }

  /** The customer's bank asks for the money. */
  openDispute(reference: string): Dispute {
    const dispute: Dispute = {
      id: this.nextId(),
      transaction: this.known(reference),
      createdAt: new Date().toISOString(),
      status: 'awaiting-merchant-feedback',
      resolution: null,
      refundAmount: null,
      currency: null,
    };
    this.disputes.push(dispute);
    return dispute;
  }

  private addRefund(
    transaction: Transaction,
    given: Pick<Refund, 'amount' | 'merchantNote'> & Partial<Pick<Refund, 'dispute'>>,
  ): Refund {
    const refund: Refund = {
      id: this.nextId(),
      transaction,
      dispute: null,
      createdAt: new Date().toISOString(),
      status: 'pending',
      isListed: this.listsRefunds,
      ...given,
    };
    this.refunds.push(refund);
    return refund;
  }

  fetchRefund(id: string): PaystackReply {
    const refund = this.refunds.find((each) => String(each.id) === id);
    return refund === undefined
      ? refusal(404, 'Refund not found', 'not_found')
      : success('Refund retrieved', refundShown(refund));
  }

  /** The customer's bank asked for it, and the merchant agreed. */
  loseDispute(reference: string, refundAmount: number): Dispute {
    const resolved = { status: 'resolved', resolution: 'merchant-accepted', refundAmount } as const;
    return Object.assign(this.openDispute(reference), resolved);
  }

  /** The customer pays. */
  pay(reference: string, as: Paid = {}): Transaction {
    const transaction = this.known(reference);
    return Object.assign(transaction, { status: 'success', paidAt: new Date().toISOString() }, as);
  }

  known(reference: string): Transaction {
    const transaction = this.transactions.get(reference);
    if (transaction === undefined) throw new Error(`There is no transaction ${reference}`);
    return transaction;
  }

  refundsOf(reference: string): Refund[] {
    return this.refunds.filter(({ transaction }) => transaction.reference === reference);
  }

  private refundedOf(transaction: Transaction): number {
    return this.refundsOf(transaction.reference)
      .filter(({ status }) => status !== 'failed')
      .reduce((sum, { amount }) => sum + amount, 0);
  }

  private nextId(): number {
    return ++this.lastId;
  }
}

/** As `verify` answers it and `charge.success` brings it. */
export function transactionShown(transaction: Transaction): object {
  const { id, domain, status, reference, amount, currency, metadata, paidAt, createdAt, email, requestedAmount } =
    transaction;
  const isPaid = status === 'success';
  return {
    id,
    domain,
    status,
    reference,
    receipt_number: null,
    amount,
    message: null,
    gateway_response: isPaid ? 'Successful' : 'The transaction was not completed',
    paid_at: paidAt,
    created_at: createdAt,
    channel: 'card',
    currency,
    ip_address: '197.210.54.33',
    metadata,
    log: null,
    fees: isPaid ? 150 : null,
    fees_split: null,
    authorization: isPaid ? { authorization_code: 'AUTH_uh8bcl3zbn', last4: '4081', card_type: 'visa ' } : {},
    customer: { id: 181_873_746, first_name: null, last_name: null, email, customer_code: 'CUS_1rkzaqsv4rrhqo6' },
    plan: null,
    split: {},
    order_id: null,
    paidAt,
    createdAt,
    ...(requestedAmount !== null && { requested_amount: requestedAmount }),
    pos_transaction_data: null,
    source: null,
    fees_breakdown: null,
  };
}

/** As events of refunds bring it: without an id, and the amount as a text. */
export function refundEvent({ status, transaction, amount }: Refund): object {
  return {
    event: `refund.${status}`,
    data: {
      status,
      transaction_reference: transaction.reference,
      refund_reference: null,
      amount: String(amount),
      currency: transaction.currency,
      processor: 'instant-transfer',
      customer: { first_name: 'Drew', last_name: 'Berry', email: transaction.email },
      integration: 412_829,
      domain: transaction.domain,
    },
  };
}

function refundShown({ id, transaction, amount, merchantNote, status, dispute, createdAt }: Refund): object {
  return {
    integration: 412_829,
    transaction: transaction.id,
    dispute,
    settlement: null,
    id,
    domain: transaction.domain,
    currency: transaction.currency,
    amount,
    status,
    refunded_at: null,
    refunded_by: 'merchant@example.com',
    customer_note: `Refund for transaction ${transaction.reference}`,
    merchant_note: merchantNote,
    transaction_reference: transaction.reference,
    deducted_amount: 0,
    fully_deducted: false,
    createdAt,
    updatedAt: createdAt,
  };
}

/** https://paystack.com/docs/api/dispute/#list */
export function disputeShown(dispute: Dispute): object {
  const { id, transaction, status, resolution, refundAmount, currency, createdAt } = dispute;
  return {
    id,
    refund_amount: refundAmount,
    currency,
    status,
    resolution,
    domain: transaction.domain,
    transaction: transactionShown(transaction),
    transaction_reference: null,
    category: 'chargeback',
    customer: {
      id: 10_207,
      first_name: null,
      last_name: null,
      email: transaction.email,
      customer_code: 'CUS_unz4q52yjsd6064',
    },
    bin: null,
    last4: null,
    dueAt: null,
    resolvedAt: status === 'resolved' ? createdAt : null,
    evidence: null,
    attachments: null,
    note: null,
    history: [],
    messages: [],
    createdAt,
    updatedAt: createdAt,
  };
}

function success(message: string, data: object): PaystackReply {
  return { code: 200, body: { status: true, message, data } };
}

function strangers(given: object, known: readonly string[]): string | undefined {
  const stranger = Object.keys(given).find((name) => !known.includes(name));
  return stranger === undefined ? undefined : `"${stranger}" is not allowed`;
}

function isAmount(amount: unknown): boolean {
  return typeof amount === 'string'
    ? /^[1-9]\d*$/.test(amount)
    : typeof amount === 'number' && Number.isSafeInteger(amount) && amount > 0;
}

function isJsonText(text: unknown): boolean {
  if (typeof text !== 'string') return false;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null;
  } catch {
    return false;
  }
}
