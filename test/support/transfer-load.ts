import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer } from './http-answer.js';
import type { WalletCluster } from './wallet-cluster.js';

/** A transfer under a key of its own, sent until its answer is known. */
interface Operation {
  readonly key: string;
  readonly body: { fromUserId: string; toUserId: string; amount: number; currency: string };
  /** How often it was sent without learning what became of it. */
  unclear: number;
  answer?: Answer;
}

const PATIENCE_MS = 40_000;

/**
 * Transfers between these users, at random, from several senders at once. A sender that hears nothing, or that it should
 * come back later, sends the same request under the same key to another server, as a careful client does.
 */
export class TransferLoad {
  readonly operations: Operation[];
  private next = 0;
  private done: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly cluster: WalletCluster,
    users: readonly string[],
    count: number,
  ) {
    this.operations = Array.from({ length: count }, (_, n) => {
      const fromUserId = users[n % users.length] ?? '';
      const others = users.filter((user) => user !== fromUserId);
      const toUserId = others[Math.floor(Math.random() * others.length)] ?? '';
      const amount = 1 + Math.floor(Math.random() * 50);
      return { key: randomUUID(), body: { fromUserId, toUserId, amount, currency: 'USD' }, unclear: 0 };
    });
  }

  start(senders: number): void {
    this.done = Promise.all(Array.from({ length: senders }, (_, turn) => this.send(turn)));
  }

  /** @throws when an operation had no answer in time, or one that makes no sense */
  async finish(): Promise<void> {
    await this.done;
  }

  get answered(): number {
    return this.operations.filter(({ answer }) => answer !== undefined).length;
  }

  /** How many requests broke off or were put off. */
  get unclear(): number {
    return this.operations.reduce((sum, { unclear }) => sum + unclear, 0);
  }

  /** Ids of the transfers that were acknowledged. */
  get posted(): string[] {
    return this.operations.flatMap(({ answer }) => (answer?.status === 201 ? [String(answer.body['id'])] : []));
  }

  /** What each user must have gained by what was acknowledged. */
  gains(): Map<string, number> {
    const gains = new Map<string, number>();
    const add = (user: string, amount: number) => gains.set(user, (gains.get(user) ?? 0) + amount);
    for (const { answer, body } of this.operations) {
      if (answer?.status !== 201) continue;
      add(body.fromUserId, -body.amount);
      add(body.toUserId, body.amount);
    }
    return gains;
  }

  private async send(turn: number): Promise<void> {
    for (let operation = this.take(); operation; operation = this.take()) {
      operation.answer = await this.settle(operation, turn);
    }
  }

  private take(): Operation | undefined {
    return this.operations[this.next++];
  }

  private async settle(operation: Operation, turn: number): Promise<Answer> {
    const deadline = Date.now() + PATIENCE_MS;
    for (let attempt = turn; Date.now() < deadline; attempt++) {
      const answer = await this.attempt(operation, attempt);
      if (answer?.status === 201 || answer?.status === 402) return answer;
      if (answer && answer.status !== 503) {
        const why = this.cluster.logsOf(String(answer.body['requestId']));
        throw new Error(`Answered ${answer.status}: ${answer.text}\n${why}`);
      }
      operation.unclear += 1;
      await sleep(20);
    }
    throw new Error(`No answer to ${operation.key} after ${operation.unclear} attempts`);
  }

  /** @returns undefined when the connection broke */
  private async attempt({ body, key }: Operation, turn: number): Promise<Answer | undefined> {
    try {
      return await this.cluster.wallet(turn).post('transfers', body, { key });
    } catch (error) {
      if (error instanceof TypeError) return undefined;
      throw error;
    }
  }
}
