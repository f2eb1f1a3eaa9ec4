import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  checkParameters,
  type Parameters,
  readParameters,
  type StripeCall,
  StripeRefusal,
} from './stripe-parameters.js';
import { newId, StripeState, VERSION } from './stripe-state.js';
import type { WebhookSender } from './webhook-sender.js';

/** What goes wrong with a call; `…Before` without its effect, `…After` with it. */
export type Fault =
  | 'resetBefore'
  | 'resetAfter'
  | 'hang'
  | 'truncated'
  | 'drip'
  | 'html502Before'
  | 'html502After'
  | 'json503'
  /** Kept under the key, and replayed for a day. */
  | 'stored500Before'
  | 'stored500After'
  | 'inUse'
  | 'rateLimited'
  | 'unauthorized'
  /** A restricted key. */
  | 'forbidden';

interface PlannedFault {
  readonly call: StripeCall;
  readonly fault: Fault;
  readonly matches: (params: Parameters, id: string | undefined) => boolean;
}

/** A call as it came in. */
export interface SeenCall {
  readonly call: StripeCall;
  readonly key: string | undefined;
  readonly params: Parameters;
  readonly id: string | undefined;
}

interface StoredAnswer {
  readonly fingerprint: string;
  answer?: { status: number; body: string };
}

const ROUTES: readonly { call: StripeCall; method: string; path: RegExp }[] = [
  { call: 'create', method: 'POST', path: /^\/v1\/payment_intents$/ },
  { call: 'list', method: 'GET', path: /^\/v1\/payment_intents$/ },
  { call: 'retrieve', method: 'GET', path: /^\/v1\/payment_intents\/(pi_\w+)$/ },
  { call: 'capture', method: 'POST', path: /^\/v1\/payment_intents\/(pi_\w+)\/capture$/ },
  { call: 'cancel', method: 'POST', path: /^\/v1\/payment_intents\/(pi_\w+)\/cancel$/ },
  { call: 'refund', method: 'POST', path: /^\/v1\/refunds$/ },
  { call: 'listRefunds', method: 'GET', path: /^\/v1\/refunds$/ },
  { call: 'listDisputes', method: 'GET', path: /^\/v1\/disputes$/ },
  { call: 'listBalanceTransactions', method: 'GET', path: /^\/v1\/balance_transactions$/ },
  { call: 'retrieveRefund', method: 'GET', path: /^\/v1\/refunds\/(re_\w+)$/ },
];

/**
 * A stand-in for api.stripe.com, over HTTP, as strict as the real one: credentials, version, content type, parameters and keys. It
 * remembers what it made, and fails when told to.
 */
export class StripeApi {
  readonly state = new StripeState();
  readonly calls: SeenCall[] = [];
  private readonly keys = new Map<string, StoredAnswer>();
  private readonly faults: PlannedFault[] = [];

  private constructor(
    private readonly server: Server,
    private readonly secretKey: string,
  ) {
    server.on('request', (request, response) => void this.serve(request, response));
  }

  static async start(secretKey: string): Promise<StripeApi> {
    const server = createServer();
    const api = new StripeApi(server, secretKey);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return api;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    this.server.close();
    await once(this.server, 'close');
  }

  /** The next call of that kind that matches goes wrong, once. */
  failNext(call: StripeCall, fault: Fault, matches: PlannedFault['matches'] = () => true): void {
    this.faults.push({ call, fault, matches });
  }

  /** How often a call came that changes something, as the caller meant it and not as it was carried out. */
  callsOf(call: StripeCall, matches: (seen: SeenCall) => boolean = () => true): SeenCall[] {
    return this.calls.filter((seen) => seen.call === call && matches(seen));
  }

  /** PaymentIntents that were made for a payment: there should be one. */
  intentsOf(payment: unknown) {
    return [...this.state.intents.values()].filter(({ metadata }) => metadata['holdfast_payment'] === payment);
  }

  /** Refunds of a payment's PaymentIntents. */
  refundsOf(payment: unknown) {
    return [...this.state.refunds.values()].filter(({ metadata }) => metadata?.['holdfast_payment'] === payment);
  }

  /** Signs events and sends them, one after the other in this order; each is accepted. */
  async deliver(sender: WebhookSender, events: readonly Record<string, unknown>[]): Promise<unknown[]> {
    const ids: unknown[] = [];
    for (const event of events) {
      const { status, body } = await sender.stripe(event);
      if (status !== 200) throw new Error(`${String(event['type'])} was answered ${status}`);
      ids.push(body['id']);
    }
    return ids;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const respond = (status: number, body: string, headers: Record<string, string> = {}) => {
      response.writeHead(status, {
        'content-type': 'application/json',
        'request-id': newId('req'),
        'stripe-version': VERSION,
        ...headers,
      });
      response.end(body);
    };
    try {
      await this.answer(request, Buffer.concat(chunks).toString(), response, respond);
    } catch (error) {
      if (!(error instanceof StripeRefusal)) throw error;
      // https://docs.stripe.com/rate-limits
      const headers: Record<string, string> = error.status === 429 ? { 'retry-after': '1' } : {};
      respond(error.status, JSON.stringify({ error: error.error }), headers);
    }
  }

  private async answer(
    request: IncomingMessage,
    body: string,
    response: ServerResponse,
    respond: (status: number, body: string, headers?: Record<string, string>) => void,
  ): Promise<void> {
    const { call, id, params } = this.read(request, body);
    const key = request.headers['idempotency-key'] as string | undefined;
    this.calls.push({ call, key, params, id });
    const planned = this.faults.findIndex((each) => each.call === call && each.matches(params, id));
    const fault = planned === -1 ? undefined : this.faults.splice(planned, 1)[0]?.fault;
    if (fault === 'resetBefore') return reset(response);
    if (fault === 'html502Before') return html502(response);
    if (fault === 'json503') return respond(503, '{"message":"no healthy upstream"}');
    if (fault === 'rateLimited') throw StripeRefusal.invalid('Too many requests', { code: 'rate_limit' }, 429);
    if (fault === 'unauthorized') throw StripeRefusal.invalid('Invalid API Key provided: sk_test_****', {}, 401);
    if (fault === 'forbidden') {
      const message = "The provided key 'rk_test_****' does not have the required permissions for this endpoint.";
      throw StripeRefusal.invalid(message, {}, 403);
    }
    if (fault === 'inUse') throw inUse();
    const { status, body: text, replayed } = this.once(key, call, id, params, fault);
    const headers = { ...(key && { 'idempotency-key': key }), ...(replayed && { 'idempotent-replayed': 'true' }) };
    if (fault === 'resetAfter') return reset(response);
    if (fault === 'html502After') return html502(response);
    if (fault === 'hang') return;
    if (fault === 'truncated') {
      response.writeHead(status, {
        'content-type': 'application/json',
        'content-length': String(Buffer.byteLength(text)),
      });
      response.write(text.slice(0, text.length / 2));
      await sleep(10);
      return reset(response);
    }
    if (fault === 'drip') return drip(response, text);
    return respond(status, text, headers);
  }

  private read(
    request: IncomingMessage,
    body: string,
  ): { call: StripeCall; id: string | undefined; params: Parameters } {
    const { method = '', url = '/', headers } = request;
    if (headers.authorization !== `Bearer ${this.secretKey}`) {
      throw StripeRefusal.invalid('Invalid API Key provided: sk_test_****', {}, 401);
    }
    if (headers['stripe-version'] !== VERSION)
      throw StripeRefusal.invalid(`Invalid Stripe API version: ${String(headers['stripe-version'])}`);
    const [path = '', query = ''] = url.split('?', 2);
    const route = ROUTES.find((each) => each.method === method && each.path.test(path));
    if (route === undefined) throw StripeRefusal.invalid(`Unrecognized request URL (${method}: ${path}).`, {}, 404);
    if (method === 'POST') {
      if (headers['content-type'] !== 'application/x-www-form-urlencoded') {
        throw StripeRefusal.invalid(`Invalid request: content type ${String(headers['content-type'])}`);
      }
      // Stripe takes a POST without one. We never send one without, and never one that the package made up.
      if (!/^[\w-]{36}$/.test(String(headers['idempotency-key'])))
        throw StripeRefusal.invalid('No idempotency key of ours');
    }
    const params = readParameters(method === 'POST' ? body : query);
    checkParameters(route.call, params);
    return { call: route.call, id: route.path.exec(path)?.[1], params };
  }

  /** https://docs.stripe.com/api/idempotent_requests: kept once it is carried out, also a 500; parameters that are refused are not kept. */
  private once(
    key: string | undefined,
    call: StripeCall,
    id: string | undefined,
    params: Parameters,
    fault: Fault | undefined,
  ): { status: number; body: string; replayed?: boolean } {
    if (key === undefined) return this.carryOut(call, id, params);
    const fingerprint = JSON.stringify([call, id, params]);
    const stored = this.keys.get(key);
    if (stored !== undefined) {
      if (stored.fingerprint !== fingerprint) throw mismatch(key);
      if (stored.answer === undefined) throw inUse();
      return { ...stored.answer, replayed: true };
    }
    const entry: StoredAnswer = { fingerprint };
    this.keys.set(key, entry);
    if (fault === 'stored500Before') return (entry.answer = error500());
    entry.answer = this.carryOut(call, id, params);
    if (fault === 'stored500After') entry.answer = error500();
    return entry.answer;
  }

  private carryOut(call: StripeCall, id = '', params: Parameters): { status: number; body: string } {
    try {
      return { status: 200, body: JSON.stringify(this.effectOf(call, id, params)) };
    } catch (error) {
      if (!(error instanceof StripeRefusal)) throw error;
      return { status: error.status, body: JSON.stringify({ error: error.error }) };
    }
  }

  private effectOf(call: StripeCall, id: string, params: Parameters): object {
    const { state } = this;
    switch (call) {
      case 'create':
        return state.create(params);
      case 'capture':
        return state.capture(id, params);
      case 'cancel':
        return state.cancel(id, params);
      case 'refund':
        return state.refund(params);
      case 'retrieve':
        return state.intent(id);
      case 'retrieveRefund':
        return state.refundOf(id);
      case 'listBalanceTransactions':
        return listed('/v1/balance_transactions', state.balance.shown(params), params);
      case 'list':
        return listed('/v1/payment_intents', [...state.intents.values()], params);
      case 'listRefunds': {
        const of = params['payment_intent'];
        if (typeof of === 'string') state.intent(of);
        const refunds = [...state.refunds.values()].filter(
          ({ payment_intent }) => of === undefined || payment_intent === of,
        );
        return listed('/v1/refunds', refunds, params);
      }
      case 'listDisputes': {
        const of = params['payment_intent'];
        if (typeof of !== 'string') throw StripeRefusal.invalid('Disputes of all charges are not asked for');
        state.intent(of);
        return listed('/v1/disputes', state.disputesOf(of), params);
      }
    }
  }
}

/** Newest first. https://docs.stripe.com/api/pagination */
function listed(url: string, all: readonly { id: string; created: number }[], params: Parameters): object {
  const limit = Number(params['limit'] ?? 10);
  if (limit < 1 || limit > 100) throw StripeRefusal.invalid('Invalid limit: must be from 1 to 100', { param: 'limit' });
  const { gt = -1, gte = 0, lt = Infinity, lte = Infinity } = (params['created'] ?? {}) as Record<string, string>;
  const newest = all
    .toReversed()
    .filter(
      ({ created }) => created > Number(gt) && created >= Number(gte) && created < Number(lt) && created <= Number(lte),
    );
  const from = newest.findIndex(({ id }) => id === params['starting_after']) + 1;
  const data = newest.slice(from, from + limit);
  return { object: 'list', url, has_more: newest.length > from + limit, data };
}

function reset(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}

function html502(response: ServerResponse): void {
  response.writeHead(502, { 'content-type': 'text/html' });
  response.end('<html><body><h1>502 Bad Gateway</h1></body></html>');
}

/** A byte now and then, so that no time-out between two of them ever passes. */
async function drip(response: ServerResponse, text: string): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/json' });
  for (const character of text) {
    if (response.destroyed) return;
    response.write(character);
    await sleep(500);
  }
}

function error500() {
  const error = { type: 'api_error', message: 'An unknown error occurred' };
  return { status: 500, body: JSON.stringify({ error }) };
}

function mismatch(key: string): StripeRefusal {
  const message = `Keys for idempotent requests can only be used with the same parameters they were first used with. Try using a key other than '${key}' if you meant to execute a different request.`;
  return new StripeRefusal(400, { type: 'idempotency_error', message });
}

function inUse(): StripeRefusal {
  const message = 'There is currently another in-progress request using this Idempotent Key.';
  return new StripeRefusal(409, { type: 'invalid_request_error', code: 'idempotency_key_in_use', message });
}
