import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Money } from '../../src/kernel/money.js';
import {
  type AccountKey,
  type HoldId,
  type Posting,
  type PostingOutcome,
  systemAccount,
  type TransferId,
  userAccount,
} from '../../src/modules/ledger/index.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { READ_COMMITTED } from '../../src/platform/transaction/index.js';
import { BY, codeOf, TestLedger, transfer } from '../support/ledger.js';
import { FOREIGNER, history, PlainLedger, STRANGER, type Step, WORLD } from '../support/plain-ledger.js';

let database: TestDatabase;
/** Two processes that take turns. */
let ledgers: TestLedger[];
let run = 0;

/** Seconds that stand for one of a history, so that the time the test itself takes does not count. */
const SECOND = 3600;

beforeAll(async () => {
  database = await createTestDatabase();
  ledgers = await Promise.all([TestLedger.open(database.url), TestLedger.open(database.url)]);
});

afterAll(async () => {
  await Promise.all(ledgers?.map((ledger) => ledger.close()) ?? []);
  await database?.drop();
});

/** One history in the database: people and references are its own. */
class Player {
  readonly holds: HoldId[] = [];
  readonly transfers: TransferId[] = [];
  private readonly id = ++run;
  private turn = 0;
  private frozen: number | undefined;

  keyOf(person: number): AccountKey {
    const currency = person === FOREIGNER ? 'EUR' : 'USD';
    return person === WORLD ? systemAccount('external', 'USD') : userAccount(`${this.id}-${person}`, currency);
  }

  /** Freezes this person's account, and no other's. What they can repay they have repaid before. */
  async freeze(person: number | undefined): Promise<void> {
    if (person === this.frozen) return;
    const { ledger, transactor } = this.ledger;
    const set = (who: number, status: 'OPEN' | 'FROZEN') =>
      transactor.run(
        (tx) => ledger.setStatus(tx, { owner: this.keyOf(who).owner }, status, BY, 'a test'),
        READ_COMMITTED,
      );
    if (this.frozen !== undefined) await set(this.frozen, 'OPEN');
    this.frozen = person;
    if (person === undefined) return;
    expect(codeOf(await this.ledger.post(transfer(this.keyOf(person), this.keyOf(WORLD), 1_000_000)))).toBe(
      'INSUFFICIENT_FUNDS',
    );
    await set(person, 'FROZEN');
  }

  get ledger(): TestLedger {
    const ledger = ledgers[this.turn++ % ledgers.length];
    if (!ledger) throw new Error('no ledger');
    return ledger;
  }

  async carryOut(steps: readonly Step[], atomic: boolean): Promise<string[]> {
    const postings = steps.map((step) => this.postingOf(step));
    const mode = atomic ? 'atomic' : 'independent';
    const { outcomes } = await this.ledger.ledger.submit({ postings, mode, by: BY });
    outcomes?.forEach((outcome) => this.remember(outcome));
    return outcomes?.map(codeOf) ?? [];
  }

  /** Lets the time of its holds pass, past the triggers. */
  async pass(seconds: number): Promise<void> {
    if (seconds === 0 || this.holds.length === 0) return;
    await this.ledger.transactor.run(async (tx) => {
      await tx.query('ALTER TABLE ledger_holds DISABLE TRIGGER USER');
      await tx.query(
        `UPDATE ledger_holds SET expires_at = expires_at - $2 * interval '1 second'
         WHERE id = ANY ($1::uuid[]) AND status = 'ACTIVE'`,
        [this.holds, seconds * SECOND],
      );
      await tx.query('ALTER TABLE ledger_holds ENABLE TRIGGER USER');
      await tx.query('ALTER TABLE ledger_holds ENABLE ALWAYS TRIGGER ledger_holds_refuse_change');
    });
  }

  private remember(outcome: PostingOutcome): void {
    if ('posted' in outcome) this.transfers.push(outcome.posted.id);
    if ('held' in outcome && outcome.held.status === 'ACTIVE') this.holds.push(outcome.held.id);
    if ('held' in outcome && outcome.transfer) this.transfers.push(outcome.transfer.id);
  }

  private postingOf(step: Step): Posting {
    const unknown = '00000000-0000-7000-8000-ffffffffffff';
    switch (step.do) {
      case 'transfer': {
        const [debit, credit] = [this.keyOf(step.from), this.keyOf(step.to)];
        const reference = step.reference === undefined ? undefined : `${this.id}-${step.reference}`;
        return {
          type: 'transfer',
          kind: 'TRANSFER',
          debit,
          credit,
          amount: Money.of(step.amount, debit.currency),
          reference,
        };
      }
      case 'take': {
        const debit = this.keyOf(step.from);
        return {
          type: 'transfer',
          kind: 'DEBIT',
          debit,
          credit: this.keyOf(WORLD),
          amount: Money.of(step.amount, debit.currency),
          reference: step.reference === undefined ? undefined : `${this.id}-${step.reference}`,
          shortfall: 'debt',
        };
      }
      case 'hold': {
        const [account, credit] = [this.keyOf(step.from), this.keyOf(step.to)];
        const expiresInSeconds = step.seconds * SECOND;
        return { type: 'hold', account, credit, amount: Money.of(step.amount, account.currency), expiresInSeconds };
      }
      case 'capture':
        return {
          type: 'capture',
          holdId: this.holds[step.hold] ?? (unknown as HoldId),
          amount: step.amount === undefined ? undefined : BigInt(step.amount),
        };
      case 'void':
        return { type: step.do, holdId: this.holds[step.hold] ?? (unknown as HoldId) };
      case 'reverse':
        return { type: 'reverse', transferId: this.transfers[step.transfer] ?? (unknown as TransferId) };
    }
  }
}

describe('the ledger in the database, beside a plain ledger', () => {
  it('answers and leaves the same, and holds after every history', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (batches) => {
        const plain = new PlainLedger();
        const player = new Player();
        for (const person of [1, 2, 3, FOREIGNER]) await player.ledger.open(player.keyOf(person));
        const worldBefore = (await player.ledger.balanceOf(player.keyOf(WORLD))) ?? 0n;
        for (const { steps, atomic, after, frozen } of batches) {
          await player.freeze(frozen);
          await player.pass(after);
          if (after % 3 === 0) await player.ledger.sweep.sweep();
          const [holds, transfers] = [player.holds.length, player.transfers.length];
          // Ids are told when a batch has committed: its own steps cannot be named by it.
          const possible = steps.filter(
            (step) =>
              !('hold' in step && step.hold >= holds && step.hold < holds + steps.length) &&
              !('transfer' in step && step.transfer >= transfers && step.transfer < transfers + steps.length),
          );
          const expected = plain.carryOut({ atomic, steps: possible, after, ...(frozen !== undefined && { frozen }) });
          if (possible.length > 0) expect(await player.carryOut(possible, atomic)).toEqual(expected);
        }
        for (const person of [1, 2, 3, FOREIGNER]) {
          const key = player.keyOf(person);
          const account = await player.ledger.ledger.account(key);
          expect(account).toMatchObject({
            held: Money.of(plain.heldOf(person), key.currency),
            available: Money.of(plain.availableTo(person), key.currency),
          });
          // Repaid now, or with the next posting.
          expect(account?.balance.minus(account.debt)).toEqual(
            Money.of(plain.balanceOf(person) - plain.debtOf(person), key.currency),
          );
        }
        const holds = await Promise.all(player.holds.map((id) => player.ledger.ledger.hold(id)));
        expect(holds.map((hold) => hold?.status)).toEqual(plain.holdStatuses);
        const worldAfter = (await player.ledger.balanceOf(player.keyOf(WORLD))) ?? 0n;
        expect(worldAfter - worldBefore).toBe(BigInt(plain.balanceOf(WORLD)));
        expect(await player.ledger.ledger.account(player.keyOf(STRANGER))).toBeUndefined();
        expect((await player.ledger.integrity.check()).violations).toEqual([]);
      }),
      { numRuns: 60 },
    );
  }, 120_000);
});
