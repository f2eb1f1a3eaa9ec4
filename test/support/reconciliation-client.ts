import { expect } from '@jest/globals';
import { type Answer, call } from './http-answer.js';
import type { TestServer } from './server.js';
import { waitFor } from './wait-for.js';

export type Shown = Record<string, unknown>;

/** The reconciliation routes of one server. */
export class ReconciliationClient {
  constructor(private readonly server: TestServer) {}

  /** Windows end with whole seconds: what has moved so far is in one that ends now. */
  async untilSecondIsOver(): Promise<void> {
    const began = Math.floor(Date.now() / 1000);
    await waitFor(() => Math.floor(Date.now() / 1000) > began, { what: 'the second to be over' });
  }

  ask(input: object, credential?: string): Promise<Answer> {
    return call(this.server, 'POST', '/api/reconciliations', input, credential);
  }

  async find(id: unknown, query = 'limit=200'): Promise<Shown> {
    const { status, text, body } = await call(this.server, 'GET', `/api/reconciliations/${String(id)}?${query}`);
    expect({ status, text }).toMatchObject({ status: 200 });
    return body;
  }

  untilOver(id: unknown): Promise<Shown> {
    return waitFor(
      async () => {
        const run = await this.find(id);
        if (run['status'] !== 'completed' && run['status'] !== 'failed')
          throw new Error(JSON.stringify(run['progress']));
        return run;
      },
      { timeout: 60_000, what: 'the reconciliation to be over' },
    );
  }

  /** All that has moved so far. */
  async run(provider: string, window: object = {}): Promise<Shown> {
    await this.untilSecondIsOver();
    const { status, text, body } = await this.ask({ provider, ...window });
    expect({ status, text }).toMatchObject({ status: 202 });
    const over = await this.untilOver(body['id']);
    expect(over).toMatchObject({ status: 'completed', error: null });
    return over;
  }
}

export function countsOf(run: Shown): Record<string, number> {
  return (run['report'] as { counts: Record<string, number> }).counts;
}

/** Those of a payment. */
export function differencesOf(run: Shown, payment: unknown): Shown[] {
  return (run['differences'] as Shown[]).filter(({ paymentId }) => paymentId === payment);
}
