import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { type Answer, answerOf, call } from './http-answer.js';
import type { TestServer } from './server.js';
import { waitFor } from './wait-for.js';
import { newUserId, type Sending } from './wallet-client.js';

export type Shown = Record<string, unknown>;

/** The payment routes of one server. */
export class PaymentsClient {
  constructor(protected readonly server: TestServer) {}

  async post(path: string, body?: unknown, { key = randomUUID(), credential }: Sending = {}): Promise<Answer> {
    const headers = {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(key !== null && { 'idempotency-key': key }),
      ...(credential !== undefined && { authorization: `Bearer ${credential}` }),
    };
    const init = { method: 'POST', headers, ...(body !== undefined && { body: JSON.stringify(body) }) };
    return answerOf(await this.server.fetch(`/api/${path}`, init));
  }

  get(path: string, credential?: string): Promise<Answer> {
    return call(this.server, 'GET', `/api/${path}`, undefined, credential);
  }

  /** A payment of US cents for a user nobody has heard of yet. */
  create(amount: number, more: object = {}, sending: Sending = {}): Promise<Answer> {
    return this.post('payments', { userId: newUserId(), amount, currency: 'USD', ...more }, sending);
  }

  async find(id: unknown): Promise<Shown> {
    const { status, text, body } = await this.get(`payments/${String(id)}`);
    expect({ status, text }).toMatchObject({ status: 200 });
    return body;
  }

  /** The payment once it has that status. */
  untilStatus(id: unknown, wanted: string): Promise<Shown> {
    return waitFor(
      async () => {
        const payment = await this.find(id);
        if (payment['status'] !== wanted) throw new Error(`It is ${JSON.stringify(payment)}`);
        return payment;
      },
      { what: `the payment to be ${wanted}` },
    );
  }

  /** What the user's wallet has, in cents. */
  async fundsOf(userId: unknown): Promise<number> {
    const { body } = await this.get(`wallet/balance?userId=${String(userId)}&currency=USD`);
    return Number(body['balance']);
  }
}
