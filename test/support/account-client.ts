import { expect } from '@jest/globals';
import { type Answer, answerOf } from './http-answer.js';
import type { MailFolder } from './mail-folder.js';
import type { ServerUnderTest } from './server-under-test.js';

export const PASSWORD = 'correct horse battery';

export interface Tokens {
  accessToken: string;
  refreshToken: string;
}

/** What an end user's browser does. */
export class AccountClient {
  constructor(
    private readonly holdfast: Pick<ServerUnderTest, 'server'>,
    private readonly mailbox: MailFolder,
  ) {}

  /** `POST /api/auth/<route>`, anonymous. */
  async post(route: string, body: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    return answerOf(
      await fetch(`${this.holdfast.server.url}/api/auth/${route}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(body),
      }),
    );
  }

  /** Of somebody who is logged in. */
  async as(accessToken: string, method: string, path: string, body?: unknown): Promise<Answer> {
    return answerOf(
      await fetch(this.holdfast.server.url + path, {
        method,
        headers: {
          authorization: `Bearer ${accessToken}`,
          ...(body !== undefined && { 'content-type': 'application/json' }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      }),
    );
  }

  /** A verified account. */
  async signUp(email: string, password = PASSWORD): Promise<void> {
    expect((await this.post('register', { email, password })).status).toBe(202);
    const { token } = await this.mailbox.next(email, 'verification');
    expect((await this.post('verify-email', { token })).status).toBe(200);
  }

  async logIn(email: string, password = PASSWORD, headers: Record<string, string> = {}): Promise<Tokens> {
    const answer = await this.post('login', { email, password }, headers);
    expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 200 });
    return answer.body as unknown as Tokens;
  }

  /** A verified account, logged in. */
  async newUser(email: string): Promise<Tokens & { id: string }> {
    await this.signUp(email);
    const tokens = await this.logIn(email);
    const { body } = await this.as(tokens.accessToken, 'GET', '/api/auth/me');
    return { ...tokens, id: String(body['id']) };
  }

  /** The token of a mail that sets a new password. */
  async forgot(email: string): Promise<string> {
    expect((await this.post('forgot', { email })).status).toBe(202);
    return (await this.mailbox.next(email, 'password-reset')).token;
  }
}
