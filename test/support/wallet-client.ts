import { randomBytes, randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { type Answer, call, answerOf } from './http-answer.js';
import type { TestServer } from './server.js';

/** What switches off every rate limit that money routes have, for tests that are about money. */
export const UNLIMITED = {
  RATE_LIMIT_PER_SECOND: '0',
  RATE_LIMIT_PER_MINUTE: '0',
  RATE_LIMIT_PER_HOUR: '0',
  MUTATION_RATE_LIMIT: '0',
};

export interface Sending {
  /** Of the request; a new one unless told, none when null. */
  key?: string | null;
  /** An API key or a JWT in place of the admin key. */
  credential?: string;
}

/** The wallet routes of one server. */
export class WalletClient {
  constructor(private readonly server: TestServer) {}

  /** @param body sent as it is when it is a text */
  async post(path: string, body?: unknown, { key = randomUUID(), credential }: Sending = {}): Promise<Answer> {
    const headers = {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(key !== null && { 'idempotency-key': key }),
      ...(credential !== undefined && { authorization: `Bearer ${credential}` }),
    };
    const payload = typeof body === 'string' ? body : JSON.stringify(body);
    const init = { method: 'POST', headers, ...(payload !== undefined && { body: payload }) };
    return answerOf(await this.server.fetch(`/api/wallet/${path}`, init));
  }

  get(path: string, credential?: string): Promise<Answer> {
    return call(this.server, 'GET', `/api/wallet/${path}`, undefined, credential);
  }

  /** A user nobody has heard of yet, with an account and, if any, these funds. @returns the user's id */
  async newUser(funds = 0, { currency = 'USD', userId = newUserId(), allowNegative = false } = {}): Promise<string> {
    const opened = await this.post('accounts', { userId, currency, allowNegative });
    expect(opened).toMatchObject({ status: 201 });
    if (funds > 0) {
      const credited = await this.post('transactions', { userId, type: 'CREDIT', amount: funds, currency });
      expect(credited).toMatchObject({ status: 201 });
    }
    return userId;
  }

  /** Several at the same time. */
  newUsers(count: number, funds = 0): Promise<string[]> {
    return Promise.all(Array.from({ length: count }, () => this.newUser(funds)));
  }

  async balanceOf(userId: string, currency = 'USD'): Promise<Record<string, unknown>> {
    const { status, text, body } = await this.get(`balance?userId=${encodeURIComponent(userId)}&currency=${currency}`);
    expect({ status, text }).toMatchObject({ status: 200 });
    return body;
  }

  /** Everything that user has, in minor units. */
  async fundsOf(userId: string, currency = 'USD'): Promise<number> {
    return Number((await this.balanceOf(userId, currency))['balance']);
  }

  /** Every line of the account's statement, newest first. */
  async statementOf(userId: string, currency = 'USD'): Promise<Record<string, unknown>[]> {
    const lines: Record<string, unknown>[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const page: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const { status, text, body } = await this.get(
        `transactions?userId=${userId}&currency=${currency}&limit=200${page}`,
      );
      expect({ status, text }).toMatchObject({ status: 200 });
      lines.push(...(body['data'] as Record<string, unknown>[]));
      cursor = body['nextCursor'] as string | null;
    }
    return lines;
  }

  /** All invariants of the ledger, by its own report. */
  async expectIntegrity(): Promise<void> {
    const { status, body } = await call(this.server, 'GET', '/api/ledger/integrity');
    expect(status).toBe(200);
    expect(body).toMatchObject({ ok: true, violations: [] });
  }
}

export function newUserId(): string {
  return `user-${randomBytes(8).toString('hex')}`;
}
