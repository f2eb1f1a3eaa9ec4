import { randomInt } from 'node:crypto';
import { apiHeaders, httpRequest } from './http-request.js';
import { RequestForm } from './request-form.js';
import type { RequestSource } from './request-source.js';
import { CURRENCY, userId } from './users.js';

const USER = 'user-_____';
/** After so many the same users come again, in the same order. */
const PICKS = 100_000;

/** Asks for the balance of random users, while nobody changes any. */
export class BalanceRequests implements RequestSource {
  readonly count = Infinity;
  private readonly form: RequestForm;
  private readonly users: readonly number[];
  /** By the user's number. */
  private readonly answers: readonly (readonly string[])[];

  /** @param balances of all users, by their number */
  constructor(balances: readonly number[], { host, apiKey }: { host: string; apiKey: string }) {
    this.users = Array.from({ length: PICKS }, () => randomInt(balances.length));
    this.answers = balances.map((balance, number) => [`"userId":"${userId(number)}"`, `"balance":${balance},`]);
    const { 'Content-Type': _, ...headers } = apiHeaders(apiKey);
    const line = `GET /api/wallet/balance?userId=${USER}&currency=${CURRENCY}`;
    const text = httpRequest({ line, host, headers });
    this.form = new RequestForm(text, [USER], PICKS, (index) => [userId(this.userAt(index))]);
  }

  newRequest(): Buffer {
    return this.form.newRequest();
  }

  writeInto(request: Buffer, index: number): void {
    this.form.writeInto(request, index % PICKS);
  }

  accepts(index: number, status: number, _head: string, body: string): boolean {
    const members = this.answers[this.userAt(index)] ?? [];
    return status === 200 && members.every((member) => body.includes(member));
  }

  private userAt(index: number): number {
    return this.users[index % PICKS] ?? 0;
  }
}
