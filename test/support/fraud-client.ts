import { expect } from '@jest/globals';
import { type Answer, expectProblem } from './http-answer.js';
import { PaymentsClient, type Shown } from './payments-client.js';
import type { TestServer } from './server.js';
import type { ServerUnderTest } from './server-under-test.js';
import { waitFor } from './wait-for.js';

/** The rules, the payments and the reviews of one server. */
export class FraudClient extends PaymentsClient {
  /** A new rule that declines, unless told otherwise. @returns its id */
  async rule(kind: string, settings: object): Promise<string> {
    const { status, text, body } = await this.post('fraud-rules', {
      name: `Secret rule about ${kind}`,
      kind,
      action: 'decline',
      ...settings,
    });
    expect({ status, text }).toMatchObject({ status: 201 });
    return String(body['id']);
  }

  async noRules(): Promise<void> {
    const { body } = await this.get('fraud-rules?limit=200');
    for (const { id } of body['data'] as Shown[]) {
      expect((await this.server.fetch(`/api/fraud-rules/${String(id)}`, { method: 'DELETE' })).status).toBe(204);
    }
  }

  /** What the rules made of a payment, in their order. */
  async evaluations(payment: unknown): Promise<Shown[]> {
    return (await this.find(payment))['evaluations'] as Shown[];
  }

  /** Its first dispute is known here. */
  async untilDisputed(payment: unknown): Promise<void> {
    await waitFor(async () => ((await this.find(payment))['disputes'] as Shown[]).length === 1, {
      timeout: 20_000,
      what: 'a dispute',
    });
  }

  async reviews(): Promise<Shown[]> {
    const { status, body } = await this.get('payments/reviews?limit=200');
    expect(status).toBe(200);
    return body['data'] as Shown[];
  }

  decide(payment: unknown, decision: 'approve' | 'decline', key?: string): Promise<Answer> {
    return this.post(`payments/reviews/${String(payment)}/${decision}`, undefined, key === undefined ? {} : { key });
  }
}

/** As if the user's accounts had been opened so long ago: the ledger's guards, which let nobody change that, look away. */
export async function ageAccounts(
  holdfast: Pick<ServerUnderTest, 'sql'>,
  userId: string,
  hours: number,
): Promise<void> {
  if (!/^[\w-]+$/.test(userId)) throw new TypeError('It goes into the statement as it is');
  await holdfast.sql(`
    ALTER TABLE ledger_accounts DISABLE TRIGGER USER;
    UPDATE ledger_accounts SET created_at = created_at - interval '${hours} hours' WHERE owner = '${userId}';
    ALTER TABLE ledger_accounts ENABLE TRIGGER USER`);
}

/** @returns the id of the payment */
export function expectDeclined(answer: Answer): string {
  expectProblem(answer, 402, 'PAYMENT_DECLINED');
  expect(answer.text).not.toContain('Secret');
  return String((answer.body['details'] as Shown)['payment']);
}

export function expectTaken(answer: Answer): string {
  expect({ status: answer.status, text: answer.text }).toMatchObject({ status: 201 });
  return String(answer.body['id']);
}

export function fraudClientOf(holdfast: { readonly server: TestServer }): { readonly client: FraudClient } {
  return {
    get client() {
      return new FraudClient(holdfast.server);
    },
  };
}
