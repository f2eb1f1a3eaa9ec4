import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import type { Answer } from './http-answer.js';
import {
  type Dispute,
  disputeShown,
  PaystackAccount,
  type Refund,
  refundEvent,
  transactionShown,
} from './paystack-account.js';
import { type PaystackReply, refusal } from './paystack-reply.js';
import { WebhookSender } from './webhook-sender.js';

/** How a call may go wrong, before or after Paystack has carried it out. `twice`: something on the way sent it again. */
export const PAYSTACK_FAULTS = [
  'reset before',
  'reset after',
  'hang before',
  'hang after',
  'truncated after',
  'html 502 before',
  'html 502 after',
  'twice',
] as const;
export type PaystackFault = (typeof PAYSTACK_FAULTS)[number];

/** `POST /refund` and the like; what comes after in the path does not matter. */
type Call =
  | 'POST /transaction/initialize'
  | 'GET /transaction/verify'
  | 'GET /transaction'
  | 'POST /refund'
  | 'GET /refund'
  | 'GET /dispute';

interface ArmedFault {
  readonly call: Call;
  readonly fault: PaystackFault | 'rate limited';
  readonly when: (body: Record<string, unknown>) => boolean;
}

export interface PaystackRequest {
  readonly method: string;
  readonly path: string;
  readonly body: Record<string, unknown>;
}

/** Stands for api.paystack.co: speaks HTTP, keeps state, and refuses what does not belong. */
export class PaystackApi {
  readonly account = new PaystackAccount();
  readonly requests: PaystackRequest[] = [];
  private readonly faults: ArmedFault[] = [];
  private readonly hanging: ServerResponse[] = [];

  private constructor(
    private readonly server: Server,
    private readonly secretKey: string,
    readonly url: string,
  ) {}

  static async start(secretKey: string): Promise<PaystackApi> {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('No port');
    const api = new PaystackApi(server, secretKey, `http://127.0.0.1:${address.port}`);
    server.on('request', (request, response) => void api.serve(request, response));
    return api;
  }

  /** The next such call goes wrong, once. */
  failNext(call: Call, fault: ArmedFault['fault'], when: ArmedFault['when'] = () => true): void {
    this.faults.push({ call, fault, when });
  }

  /** Callers who wait for an answer are told no more. */
  endHanging(): void {
    for (const response of this.hanging.splice(0)) response.socket?.resetAndDestroy();
  }

  /** Sent as Paystack sends it, signed. */
  deliver(holdfast: string, event: object): Promise<Answer> {
    return new WebhookSender(holdfast).send('paystack', event, { secret: this.secretKey });
  }

  /** `charge.success` about a transaction as it is now. */
  chargeSuccess(reference: string): object {
    return { event: 'charge.success', data: transactionShown(this.account.known(reference)) };
  }

  /** Of a dispute as it is now: `create`, `remind` or `resolve`. */
  disputeEvent(kind: string, dispute: Dispute): object {
    return { event: `charge.dispute.${kind}`, data: disputeShown(dispute) };
  }

  /** A refund comes to a status. @returns the event of it */
  moveRefund(refund: Refund, status: string): object {
    refund.status = status;
    return refundEvent(refund);
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '/' } = request;
    const { pathname, searchParams } = new URL(url, this.url);
    const sent = await text(request);
    const body = objectIn(sent);
    this.requests.push({ method, path: url, body: body ?? {} });
    const refused = this.refusalOf(request, sent, body);
    if (refused !== undefined) return reply(response, refused);
    const fault = this.takeFault(`${method} ${pathname}`, body ?? {});
    if (fault === 'rate limited') {
      response.setHeader('retry-after', '1');
      return reply(response, refusal(429, 'Too many requests', 'rate_limited'));
    }
    if (fault?.startsWith('hang')) this.hanging.push(response);
    if (fault?.endsWith('before')) return goWrong(response, fault);
    const answer = this.carryOut(method, pathname, searchParams, body ?? {});
    if (fault === undefined) reply(response, answer);
    else if (fault === 'twice') reply(response, this.carryOut(method, pathname, searchParams, body ?? {}));
    else goWrong(response, fault, answer);
  }

  private refusalOf(
    { method, headers }: IncomingMessage,
    sent: string,
    body: Record<string, unknown> | undefined,
  ): PaystackReply | undefined {
    if (headers.authorization !== `Bearer ${this.secretKey}`) return refusal(401, 'Invalid key', 'invalid_Key');
    if (method === 'GET') return sent === '' ? undefined : refusal(400, 'A GET has no body', 'invalid_params');
    const isJson = headers['content-type'] === 'application/json' && body !== undefined;
    return isJson ? undefined : refusal(400, 'The body must be a JSON object', 'invalid_params');
  }

  private carryOut(method: string, path: string, query: URLSearchParams, body: Record<string, unknown>): PaystackReply {
    const [, of = '', last = ''] = /^(\/transaction\/verify|\/refund)\/([^/]+)$/.exec(path) ?? [];
    if (method === 'POST' && path === '/transaction/initialize') return this.account.initialize(body);
    if (method === 'POST' && path === '/refund') return this.account.refund(body);
    if (method === 'GET' && path === '/transaction') return this.account.listTransactions(query);
    if (method === 'GET' && path === '/dispute') return this.account.listDisputes(query);
    if (method === 'GET' && path === '/refund') return this.account.listRefunds(query);
    if (method === 'GET' && of === '/refund') return this.account.fetchRefund(last);
    if (method === 'GET' && of === '/transaction/verify') return this.account.verify(decodeURIComponent(last));
    return refusal(404, `Cannot ${method} ${path}`, 'not_found');
  }

  private takeFault(called: string, body: Record<string, unknown>): ArmedFault['fault'] | undefined {
    const index = this.faults.findIndex(({ call, when }) => called.startsWith(call) && when(body));
    return index === -1 ? undefined : this.faults.splice(index, 1)[0]?.fault;
  }
}

function reply(response: ServerResponse, { code, body }: PaystackReply): void {
  response.writeHead(code, { 'content-type': 'application/json; charset=utf-8' }).end(JSON.stringify(body));
}

/** `hang` leaves the connection open until the caller has had enough. */
function goWrong(response: ServerResponse, fault: PaystackFault, answer?: PaystackReply): void {
  if (fault.startsWith('reset')) {
    response.socket?.resetAndDestroy();
  } else if (fault.startsWith('html')) {
    const page = '<html><head><title>502 Bad Gateway</title></head><body></body></html>';
    response.writeHead(502, { 'content-type': 'text/html' }).end(page);
  } else if (fault.startsWith('truncated')) {
    const whole = JSON.stringify(answer?.body);
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': String(whole.length) });
    response.write(whole.slice(0, whole.length / 2), () => response.socket?.end());
  }
}

function objectIn(sent: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(sent);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
