import { Inject, Injectable } from '@nestjs/common';
import { CONFIG, type Config } from '../../../../config/index.js';
import { isJsonObject, type JsonObject, type JsonValue, parseExactJson } from '../../../../kernel/exact-json.js';
import {
  type HttpAnswer,
  HttpClient,
  HttpClientError,
  type HttpMethod,
} from '../../../../platform/http-client/index.js';
import { OutcomeUnknownError, TurnedAwayError } from '../../providers/payment-provider.js';

/** Of one call, all of it. */
const TIMEOUT_MS = 20_000;
/** A hundred refunds, each with its transaction, are a quarter of it. */
const MAX_RESPONSE_BYTES = 1024 * 1024;
/** Somebody else's answer, or one that does not say that nothing was done: https://paystack.com/docs/api/errors/. */
const TELLS_NOTHING: readonly number[] = [408, 409];

/** Paystack's answer: it carried the call out, or refused it. */
export type PaystackAnswer =
  | { readonly data: JsonValue | undefined; /** Of a list: where it stands. */ readonly meta: JsonValue | undefined }
  | { readonly refusal: PaystackRefusal };

export interface PaystackRefusal {
  readonly status: number;
  /** For example `duplicate_reference`; older answers have none. */
  readonly code: string;
  readonly message: string;
  /** How long it wants to be left alone, as its header says. */
  readonly retryAfter: string | undefined;
}

/** https://paystack.com/docs/api/, one call at a time, each sent once. */
@Injectable()
export class PaystackApi {
  constructor(
    private readonly http: HttpClient,
    @Inject(CONFIG) private readonly config: Pick<Config, 'PAYSTACK_SECRET_KEY' | 'PAYSTACK_API_BASE'>,
  ) {}

  /** @throws OutcomeUnknownError when Paystack did not say */
  get(path: string): Promise<PaystackAnswer> {
    return this.call('GET', path);
  }

  /**
   * @throws OutcomeUnknownError when it may have been carried out
   * @throws NotExecutedError when it never left
   */
  post(path: string, body: JsonObject): Promise<PaystackAnswer> {
    return this.call('POST', path, body);
  }

  private async call(method: HttpMethod, path: string, body?: JsonObject): Promise<PaystackAnswer> {
    const { PAYSTACK_API_BASE: base, PAYSTACK_SECRET_KEY: key } = this.config;
    try {
      const answer = await this.http.request({
        purpose: 'paystack',
        method,
        url: base + path,
        headers: {
          authorization: `Bearer ${key}`,
          accept: 'application/json',
          ...(body && { 'content-type': 'application/json' }),
        },
        ...(body && { body: JSON.stringify(body) }),
        timeoutMs: TIMEOUT_MS,
        maxResponseBytes: MAX_RESPONSE_BYTES,
        target: 'any',
      });
      return answerOf(answer);
    } catch (error) {
      if (!(error instanceof HttpClientError)) throw error;
      if (error.mayHaveReached) throw new OutcomeUnknownError(error.message, error);
      throw new TurnedAwayError({ code: 'unreachable', message: 'Paystack cannot be reached.' }, error);
    }
  }
}

/** @throws OutcomeUnknownError for what Paystack's API would not answer */
function answerOf({ status, headers, body }: HttpAnswer): PaystackAnswer {
  const answer = jsonObjectOf(body.toString('utf8'));
  const isSaid = answer !== undefined && typeof answer['status'] === 'boolean';
  if (isSaid && answer['status'] && status >= 200 && status < 300) {
    return { data: answer['data'], meta: answer['meta'] };
  }
  if (isSaid && !answer['status'] && status >= 400 && status < 500 && !TELLS_NOTHING.includes(status)) {
    const { code, message } = answer;
    return {
      refusal: {
        status,
        code: typeof code === 'string' && code !== '' ? code : status === 429 ? 'rate_limited' : 'refused',
        message: typeof message === 'string' && message !== '' ? message : `Paystack answered ${status}.`,
        retryAfter: headers['retry-after'],
      },
    };
  }
  throw new OutcomeUnknownError(`Paystack answered ${status}${isSaid ? '' : ', and not as its API does'}`);
}

function jsonObjectOf(text: string): JsonObject | undefined {
  try {
    const value = parseExactJson(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
