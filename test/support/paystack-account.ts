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
  readonly merchantNote: string;
  readonly createdAt: string;
  status: string;
  /** False: it is not in the list yet. */
  isListed: boolean;
}

/** What a customer's bank asked back, and the merchant gave. */
export interface ResolvedDispute {
  readonly id: number;
  readonly transaction: Transaction;
  readonly refundAmount: number;
  readonly resolution: 'merchant-accepted' | 'declined';
  readonly createdAt: string;
  readonly resolvedAt: string;
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
/** https://paystack.com/docs/api/refund/#list */
const REFUND_LIST = ['transaction', 'currency', 'from', 'to', 'perPage', 'page'];

/** An account at Paystack: what it holds, and what is refused. Stricter than the real one about what nobody should send. */
export class PaystackAccount {
  readonly transactions = new Map<string, Transaction>();
  readonly refunds: Refund[] = [];
  readonly disputes: ResolvedDispute[] = [];
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
    const refund: Refund = {
      id: this.nextId(),
      transaction,
      amount: Number(amount),
      merchantNote: String(merchantNote),
      createdAt: new Date().toISOString(),
      status: 'pending',
      isListed: this.listsRefunds,
    };
    this.refunds.push(refund);
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
    const all = this.disputes.map((each) => ({ ...each, status: 'resolved', shown: disputeShown(each) }));
    return listOf('dispute', all, query);
  }

  /** Of one transaction, or of the whole account. */
  listRefunds(query: URLSearchParams): PaystackReply {
    if (!query.has('transaction')) {
      const all = this.refunds.filter(({ isListed }) => isListed);
      return listOf(
        'refund',
        all.map((each) => ({ ...each, shown: refundShown(each) })),
        query,
      );
    }
    const wrong = strangers(Object.fromEntries(query), REFUND_LIST);
    const transaction = query.get('transaction') ?? '';
    if (wrong !== undefined || !/^\d+$/.test(transaction)) {
      return refusal(400, wrong ?? 'transaction must be an id', 'invalid_params');
    }
    const [perPage, page] = [Number(query.get('perPage') ?? 50), Number(query.get('page') ?? 1)];
    const found = this.refunds.filter((each) => each.isListed && String(each.transaction.id) === transaction);
    const meta = { total: found.length, skipped: 0, perPage, page, pageCount: Math.ceil(found.length / perPage) };
    const data = found.slice((page - 1) * perPage, page * perPage).map(refundShown);
    return { code: 200, body: { status: true, message: 'Refunds retrieved', data, meta } };
  }

  fetchRefund(id: string): PaystackReply {
    const refund = this.refunds.find((each) => String(each.id) === id);
    return refund === undefined
      ? refusal(404, 'Refund not found', 'not_found')
      : success('Refund retrieved', refundShown(refund));
  }

  /** The customer's bank asked for it, and the merchant agreed. */
  loseDispute(reference: string, refundAmount: number): ResolvedDispute {
    const at = new Date().toISOString();
    const transaction = this.known(reference);
    const resolution = 'merchant-accepted';
    const dispute = {
      id: this.nextId(),
      transaction,
      refundAmount,
      resolution,
      createdAt: at,
      resolvedAt: at,
    } as const;
    this.disputes.push(dispute);
    return dispute;
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

function refundShown({ id, transaction, amount, merchantNote, status, createdAt }: Refund): object {
  return {
    integration: 412_829,
    transaction: transaction.id,
    dispute: null,
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

function disputeShown({ id, transaction, refundAmount, resolution, createdAt, resolvedAt }: ResolvedDispute): object {
  return {
    id,
    refund_amount: refundAmount,
    currency: null,
    status: 'resolved',
    resolution,
    domain: transaction.domain,
    transaction: transactionShown(transaction),
    transaction_reference: null,
    category: 'chargeback',
    customer: { id: 181_873_746, email: transaction.email, customer_code: 'CUS_1rkzaqsv4rrhqo6' },
    bin: '408408',
    last4: '4081',
    dueAt: null,
    resolvedAt,
    evidence: null,
    attachments: null,
    note: null,
    history: [{ status: 'resolved', by: 'merchant@example.com', createdAt: resolvedAt }],
    messages: [],
    createdAt,
    updatedAt: resolvedAt,
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
