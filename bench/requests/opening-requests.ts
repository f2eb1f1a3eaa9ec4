import { apiHeaders, httpRequest } from './http-request.js';
import { RequestForm } from './request-form.js';
import type { RequestSource } from './request-source.js';
import { CURRENCY, USERS, userId } from './users.js';

const USER = 'user-_____';

/** Opens an account for every user. */
export class OpeningRequests implements RequestSource {
  readonly count = USERS;
  private readonly form: RequestForm;

  constructor(host: string, apiKey: string) {
    const body = JSON.stringify({ userId: USER, currency: CURRENCY });
    const text = httpRequest({ line: 'POST /api/wallet/accounts', host, headers: apiHeaders(apiKey), body });
    this.form = new RequestForm(text, [USER], USERS, (number) => [userId(number)]);
  }

  newRequest(): Buffer {
    return this.form.newRequest();
  }

  writeInto(request: Buffer, index: number): void {
    this.form.writeInto(request, index);
  }

  accepts(_index: number, status: number): boolean {
    return status === 201;
  }
}
