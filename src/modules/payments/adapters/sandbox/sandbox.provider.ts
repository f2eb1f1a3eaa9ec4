import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../../../config/index.js';
import type { Money } from '../../../../kernel/money.js';
import { HttpClient, HttpClientError, type HttpMethod } from '../../../../platform/http-client/index.js';
import type { ChargeReport, RefundReport } from '../../payment.js';
import {
  type ChargeRef,
  type NewCharge,
  NotExecutedError,
  OutcomeUnknownError,
  type PaymentProvider,
  type RefundRef,
  type Returns,
  TurnedAwayError,
} from '../../providers/payment-provider.js';
import type { Movement, MovementWindow } from '../../providers/provider-movement.js';
import { askPatiently } from '../patience.js';
import { SandboxAddress } from './sandbox-address.js';
import { sandboxApiKey } from './sandbox-keys.js';
import {
  type ChargeObject,
  chargeReportOf,
  type DisputeObject,
  disputeReportOf,
  providerRefundOf,
  type MovementListObject,
  movementOf,
  type RefundObject,
  refundReportOf,
} from './sandbox-objects.js';

const TIMEOUT_MS = 3000;
const MAX_RESPONSE_BYTES = 64 * 1024;
const MOVEMENTS_PER_PAGE = 100;

/** As long as the sandbox's rows last. */
const KEYS_HOLD_MS = 365 * 86_400_000;

/** The sandbox as a payment provider: what a real adapter does, against a provider in the same process, over HTTP. */
@Injectable()
export class SandboxProvider implements PaymentProvider {
  readonly name = 'sandbox';
  readonly mode = 'test';
  readonly keysHoldMs = KEYS_HOLD_MS;
  readonly canAuthorize = true;
  private readonly apiKey: string;

  constructor(
    private readonly http: HttpClient,
    private readonly address: SandboxAddress,
    @Inject(CONFIG) config: Config,
  ) {
    this.apiKey = sandboxApiKey(config.encryptionKey);
  }

  /** It carries everything. */
  check(): void {}

  async create({ payment, amount, capture }: NewCharge, key: string): Promise<ChargeReport> {
    const body = { payment, amount: Number(amount.minor), currency: amount.currency, capture };
    return chargeReportOf(await this.call<ChargeObject>('POST', '/charges', body, key));
  }

  async capture(charge: ChargeRef, amount: Money, key: string): Promise<ChargeReport> {
    const path = `/charges/${await this.idOf(charge)}/capture`;
    return chargeReportOf(await this.call<ChargeObject>('POST', path, { amount: Number(amount.minor) }, key));
  }

  async cancel(charge: ChargeRef, key: string): Promise<ChargeReport> {
    return chargeReportOf(await this.call<ChargeObject>('POST', `/charges/${await this.idOf(charge)}/cancel`, {}, key));
  }

  async refund(charge: ChargeRef, { refund, amount }: RefundRef, key: string): Promise<RefundReport> {
    const body = { refund, amount: Number(amount.minor) };
    return refundReportOf(
      await this.call<RefundObject>('POST', `/charges/${await this.idOf(charge)}/refunds`, body, key),
    );
  }

  /** The sandbox shows what it has at once; what is not there may still be on its way. */
  async findCharge({ payment }: ChargeRef): Promise<ChargeReport | undefined> {
    const [charge] = await this.call<ChargeObject[]>('GET', `/charges?payment=${payment}`);
    return charge && chargeReportOf(charge);
  }

  async findRefund(charge: ChargeRef, { refund }: RefundRef): Promise<RefundReport | undefined> {
    const refunds = await this.call<RefundObject[]>('GET', `/charges/${await this.idOf(charge)}/refunds`);
    const found = refunds.find((each) => each.refund === refund);
    return found && refundReportOf(found);
  }

  async findReturns(charge: ChargeRef): Promise<Returns> {
    const path = `/charges/${await this.idOf(charge)}`;
    const refunds = await this.call<RefundObject[]>('GET', `${path}/refunds`);
    const disputes = await this.call<DisputeObject[]>('GET', `${path}/disputes`);
    return { refunds: refunds.map(providerRefundOf), disputes: disputes.map(disputeReportOf) };
  }

  async *movements({ from, to, signal }: MovementWindow): AsyncGenerator<readonly Movement[]> {
    const window = `from=${from.toISOString()}&to=${to.toISOString()}&limit=${MOVEMENTS_PER_PAGE}`;
    for (let after = ''; ;) {
      const path = `/movements?${window}${after}`;
      const page = await askPatiently(() => this.call<MovementListObject>('GET', path), signal);
      yield page.data.map(movementOf);
      const last = page.data.at(-1);
      if (!page.has_more || last === undefined) return;
      after = `&after=${last.id}`;
    }
  }

  private async idOf({ payment, reference }: ChargeRef): Promise<string> {
    if (reference !== null) return reference;
    const [charge] = await this.call<ChargeObject[]>('GET', `/charges?payment=${payment}`);
    if (charge !== undefined) return charge.id;
    throw new NotExecutedError({ code: 'no_such_charge', message: 'The sandbox has no charge for this payment.' });
  }

  private async call<Answer>(method: HttpMethod, path: string, body?: object, key?: string): Promise<Answer> {
    const { own } = this.address;
    if (own === undefined)
      throw new TurnedAwayError({ code: 'not_listening', message: 'The server does not listen yet.' });
    try {
      const { status, body: text } = await this.http.request({
        purpose: 'sandbox',
        method,
        url: `${own}/sandbox${path}`,
        headers: {
          authorization: `Bearer ${this.apiKey}`,
          'content-type': 'application/json',
          ...(key !== undefined && { 'idempotency-key': key }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        timeoutMs: TIMEOUT_MS,
        maxResponseBytes: MAX_RESPONSE_BYTES,
        target: 'any',
      });
      return this.answerOf(status, text.toString('utf8')) as Answer;
    } catch (error) {
      if (!(error instanceof HttpClientError)) throw error;
      if (error.mayHaveReached) throw new OutcomeUnknownError(error.message, error);
      throw new TurnedAwayError({ code: 'unreachable', message: 'The sandbox cannot be reached.' }, error);
    }
  }

  private answerOf(status: number, text: string): unknown {
    if (status >= 500 || status === 408) throw new OutcomeUnknownError(`The sandbox answered ${status}`);
    let answer: unknown;
    try {
      answer = JSON.parse(text);
    } catch (error) {
      throw new OutcomeUnknownError('The sandbox answered something that is no JSON', error);
    }
    if (status < 300) return answer;
    const { code = 'refused', detail = `The sandbox answered ${status}` } = answer as {
      code?: string;
      detail?: string;
    };
    const failure = { code, message: detail };
    throw status === 401 || status === 429 ? new TurnedAwayError(failure) : new NotExecutedError(failure);
  }
}
