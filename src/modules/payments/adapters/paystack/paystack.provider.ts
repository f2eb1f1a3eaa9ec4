import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../../../config/index.js';
import { ValidationError } from '../../../../kernel/app-error.js';
import { isJsonObject, type JsonObject, type JsonValue } from '../../../../kernel/exact-json.js';
import { Money } from '../../../../kernel/money.js';
import { toProviderAmount } from '../../../../kernel/provider-amount.js';
import type { ChargeReport, PaymentId, PaymentMode, RefundReport } from '../../payment.js';
import {
  type ChargeRef,
  type NewCharge,
  NotExecutedError,
  OutcomeUnknownError,
  type PaymentProvider,
  type RefundRef,
  type Returns,
} from '../../providers/payment-provider.js';
import type { Movement, MovementWindow } from '../../providers/provider-movement.js';
import { PaystackApi, type PaystackAnswer, type PaystackRefusal } from './paystack-api.js';
import { paystackMode } from './paystack-key.js';
import { chargeReportOf, idOf, objectOf, refundReportOf, UnreadableObjectError } from './paystack-objects.js';
import { paystackMovements } from './paystack-movements.js';
import { refundNote, referenceOf } from './paystack-reference.js';
import { returnsOf } from './paystack-returns.js';

/** So long the answer to a creation may still come: the deadline of a call, and the commit after it. */
const ANSWER_MAY_COME_MS = 30_000;
/** Refunds are queued: until then the list may lack one that was taken in. */
const REFUND_SETTLES_MS = 600_000;
const PER_PAGE = 100;
/** A transaction has a handful of refunds and disputes. More means that the list is of others, and proves nothing. */
const MOST_PAGES = 10;

/**
 * Paystack as a payment provider. It has no idempotency keys: nothing is sent twice, and what became of a call is asked for by
 * our own reference, or, of a refund, by our id in its `merchant_note`.
 */
@Injectable()
export class PaystackProvider implements PaymentProvider {
  readonly name = 'paystack';
  readonly mode: PaymentMode;
  readonly keysHoldMs = 0;
  readonly canAuthorize = false;

  constructor(
    private readonly api: PaystackApi,
    @Inject(CONFIG) config: Pick<Config, 'PAYSTACK_SECRET_KEY'>,
  ) {
    const mode = paystackMode(config.PAYSTACK_SECRET_KEY);
    if (mode === undefined) throw new Error('PAYSTACK_SECRET_KEY is no secret key of an account');
    this.mode = mode;
  }

  check({ amount, capture, email, providerPaymentMethod }: NewCharge): void {
    toProviderAmount('paystack', amount);
    if (email === undefined) throw refused('email', "paystack needs the customer's email");
    if (capture === 'manual') throw refused('capture', 'paystack takes the money at once: capture must be automatic');
    if (providerPaymentMethod !== undefined) {
      throw refused('providerPaymentMethod', 'paystack asks the customer for the means of payment: leave it out');
    }
  }

  /** Where the customer goes after paying is set in Paystack's dashboard: we have no page for it. */
  async create({ payment, amount, email = '' }: NewCharge, key: string): Promise<ChargeReport> {
    const answer = await this.api.post('/transaction/initialize', {
      email,
      amount: toProviderAmount('paystack', amount),
      currency: amount.currency,
      reference: referenceOf(payment),
      metadata: JSON.stringify({ holdfast_payment: payment, holdfast_operation: key }),
    });
    if ('refusal' in answer && isDuplicate(answer.refusal)) return this.existing(payment);
    const data = readable(() => objectOf(dataOf(answer)));
    const { reference, authorization_url: authorizationUrl, access_code: accessCode } = data;
    if (reference !== referenceOf(payment) || typeof authorizationUrl !== 'string' || typeof accessCode !== 'string') {
      throw new OutcomeUnknownError('Paystack answered the creation without saying where the customer pays');
    }
    return {
      reference,
      status: 'requires_action',
      mode: this.mode,
      received: Money.of(0, amount.currency),
      authorizationUrl,
      accessCode,
    };
  }

  /** `check` refuses what would have to be captured. */
  capture(): Promise<ChargeReport> {
    throw new NotExecutedError({ code: 'not_supported', message: 'Paystack takes the money at once.' });
  }

  /**
   * Paystack cannot cancel: the charge is given up by us alone, unless the customer has paid or is paying it. Whoever pays it all the same is found by
   * `charge.success`, and the money goes to suspense. Nothing is changed there, so that no outcome is ever unknown.
   */
  async cancel(charge: ChargeRef): Promise<ChargeReport> {
    const report = await this.asked(charge).catch((error: unknown) => {
      throw new NotExecutedError({ code: 'unreachable', message: 'Paystack did not say whether it was paid.' }, error);
    });
    if (report === undefined) {
      throw new NotExecutedError({ code: 'no_such_charge', message: 'Paystack has no charge for this payment.' });
    }
    const { status } = report;
    if (status === 'succeeded' || status === 'processing') {
      throw new NotExecutedError({ code: `charge_${status}`, message: `The charge is ${status} at Paystack.` });
    }
    return { reference: report.reference, status: 'canceled', mode: report.mode, received: report.received };
  }

  async refund({ payment }: ChargeRef, { refund, amount }: RefundRef): Promise<RefundReport> {
    const answer = await this.api.post('/refund', {
      transaction: referenceOf(payment),
      amount: toProviderAmount('paystack', amount),
      currency: amount.currency,
      merchant_note: refundNote(refund),
    });
    const data = dataOf(answer);
    return readable(() => refundReportOf(data, amount));
  }

  /**
   * One whose creation was never answered exists without anybody knowing where to pay it, and cannot be initialized again to
   * learn that: it has failed, so that the order is free for another. Should it be paid all the same, it succeeds.
   */
  async findCharge(charge: ChargeRef): Promise<ChargeReport | undefined> {
    const report = await this.asked(charge);
    if (charge.reference !== null || report?.status !== 'requires_action') return report;
    if (charge.ageMs < ANSWER_MAY_COME_MS) throw new OutcomeUnknownError('The answer to the creation may still come');
    return lost(report);
  }

  async findRefund(
    charge: ChargeRef,
    { refund, reference, amount, ageMs }: RefundRef,
  ): Promise<RefundReport | undefined> {
    if (reference !== null) {
      const data = toldBy(await this.ask(`/refund/${encodeURIComponent(reference)}`));
      return readable(() => refundReportOf(data, amount));
    }
    const found = await this.refundNoted(charge, refundNote(refund));
    if (found !== undefined) return readable(() => refundReportOf(found, amount));
    if (ageMs < REFUND_SETTLES_MS) throw new OutcomeUnknownError('The refund may not be in the list yet');
    return undefined;
  }

  async findReturns({ payment }: ChargeRef): Promise<Returns> {
    const transaction = await this.numberOf(payment);
    const [refunds, disputes] = await Promise.all([
      this.listed('/refund', transaction),
      this.listed('/dispute', transaction),
    ]);
    return readable(() => returnsOf(transaction, refunds, disputes));
  }

  movements(window: MovementWindow): AsyncIterable<readonly Movement[]> {
    return paystackMovements(this.api, window);
  }

  /** The first answer to our one call is that it was made before: somebody between us sent it twice. */
  private async existing(payment: PaymentId): Promise<ChargeReport> {
    const report = await this.asked({ payment });
    if (report === undefined)
      throw new OutcomeUnknownError('Paystack knows the reference, and has no transaction of it');
    return report.status === 'requires_action' ? lost(report) : report;
  }

  private async asked({ payment }: Pick<ChargeRef, 'payment'>): Promise<ChargeReport | undefined> {
    const reference = referenceOf(payment);
    const transaction = await this.transaction(reference);
    return transaction === undefined ? undefined : readable(() => chargeReportOf(transaction, reference));
  }

  private async transaction(reference: string): Promise<JsonValue | undefined> {
    const answer = await this.ask(`/transaction/verify/${reference}`);
    return 'refusal' in answer && isNotFound(answer.refusal) ? undefined : toldBy(answer);
  }

  /** The list is by Paystack's own number of the transaction; not to depend on that, each is looked at. */
  private async refundNoted({ payment }: ChargeRef, note: string): Promise<JsonObject | undefined> {
    const refunds = await this.listed('/refund', await this.numberOf(payment));
    return refunds.find((refund) => refund['merchant_note'] === note);
  }

  private async numberOf(payment: PaymentId): Promise<string> {
    const transaction = await this.transaction(referenceOf(payment));
    return readable(() => idOf(objectOf(transaction)));
  }

  private async listed(path: '/refund' | '/dispute', transaction: string): Promise<JsonObject[]> {
    const all: JsonObject[] = [];
    for (let page = 1; page <= MOST_PAGES; page++) {
      const found = toldBy(await this.ask(`${path}?transaction=${transaction}&perPage=${PER_PAGE}&page=${page}`));
      if (!Array.isArray(found)) throw new OutcomeUnknownError(`Paystack answered no list of ${path}`);
      all.push(...found.filter(isJsonObject));
      if (found.length < PER_PAGE) return all;
    }
    throw new OutcomeUnknownError(`The list of ${path} does not end`);
  }

  /** A question that could not be put says nothing about what is asked. */
  private async ask(path: string): Promise<PaystackAnswer> {
    try {
      return await this.api.get(path);
    } catch (error) {
      if (error instanceof NotExecutedError) throw new OutcomeUnknownError(error.message, error);
      throw error;
    }
  }
}

/** @throws OutcomeUnknownError when Paystack would not answer a question */
function toldBy(answer: PaystackAnswer): JsonValue | undefined {
  if (!('refusal' in answer)) return answer.data;
  throw new OutcomeUnknownError(`Paystack would not say: ${answer.refusal.message}`);
}

/** Of what was to change something. @throws NotExecutedError when Paystack refused */
function dataOf(answer: PaystackAnswer): JsonValue | undefined {
  if (!('refusal' in answer)) return answer.data;
  const { code, message } = answer.refusal;
  throw new NotExecutedError({ code, message });
}

/** Paystack did something, and what it says of it cannot be read. @throws OutcomeUnknownError */
function readable<Read>(read: () => Read): Read {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof UnreadableObjectError)) throw error;
    throw new OutcomeUnknownError('The answer of Paystack cannot be read', error);
  }
}

function lost({ reference, mode, received }: ChargeReport): ChargeReport {
  const message =
    'Paystack did not say where the customer pays, and it cannot be asked for again. Make another payment.';
  return { reference, mode, received, status: 'failed', failure: { code: 'authorization_url_lost', message } };
}

function isDuplicate({ code, message }: PaystackRefusal): boolean {
  return code === 'duplicate_reference' || /^duplicate transaction reference/i.test(message);
}

/** In its older answers Paystack has only the words for it. */
function isNotFound({ status, code, message }: PaystackRefusal): boolean {
  if (status !== 400 && status !== 404) return false;
  return code === 'transaction_not_found' || /^transaction reference not found/i.test(message);
}

function refused(path: string, message: string): ValidationError {
  return ValidationError.of([{ path, message }]);
}
