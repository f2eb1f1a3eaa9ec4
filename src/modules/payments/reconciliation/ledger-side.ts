import { Injectable } from '@nestjs/common';
import { Money } from '../../../kernel/money.js';
import { LedgerPostings, PAYMENT_CATEGORY, type PostedEntry } from '../../ledger/index.js';
import { ownerOf, type PostingOwner } from './comparison.js';
import { ConclusionRepository } from './conclusion.repository.js';
import { MovementHealer } from './movement-healer.js';
import { type Provided, ProviderQuestions } from './provider-questions.js';
import type { ReconciliationAttempt } from './reconciliation-attempt.js';
import { ReconciliationsRepository } from './reconciliations.repository.js';
import { type UnseenPosting, UnseenPostingsRepository } from './unseen-postings.repository.js';

const PAGE = 500;
/** Postings the provider is asked about at the same time. */
const AT_ONCE = 4;
/** A provider that lists nothing at all is not asked about a whole month. */
const MOST_QUESTIONS = 1000;

/** A posting that no movement has, and what is known of whose it is. */
interface Unseen {
  readonly entry: PostedEntry;
  readonly reference: string;
  readonly owner: PostingOwner | undefined;
}

/**
 * Ledger → provider: does the provider know what the books say it received and gave? What is not in its list is asked for: the
 * movement may lie outside of the window.
 */
@Injectable()
export class LedgerSide {
  constructor(
    private readonly postings: LedgerPostings,
    private readonly unseenPostings: UnseenPostingsRepository,
    private readonly conclusion: ConclusionRepository,
    private readonly healer: MovementHealer,
    private readonly questions: ProviderQuestions,
    private readonly runs: ReconciliationsRepository,
  ) {}

  async compareAll(attempt: ReconciliationAttempt): Promise<void> {
    const { run, clearing: owner } = attempt;
    const window = { from: run.windowFrom, to: run.windowTo };
    let questions = 0;
    for (const currency of await this.postings.currenciesOf(owner)) {
      for (let after: string | null = '0'; after !== null;) {
        const { entries, last } = await this.postings.between({ owner, currency }, window, after, PAGE);
        const unseen = await this.unseen(attempt, entries);
        for (let at = 0; at < unseen.length; at += AT_ONCE) {
          attempt.signal.throwIfAborted();
          const some = unseen.slice(at, at + AT_ONCE);
          const isAsked = questions < MOST_QUESTIONS;
          questions += some.length;
          await Promise.all(some.map((each) => this.examine(attempt, each, isAsked)));
        }
        after = last;
      }
    }
    const within = [firstIdAt(run.windowFrom), firstIdAt(run.windowTo)] as const;
    await attempt.save((tx) => this.conclusion.addRefundsUnderWay(tx, attempt.ref, within));
  }

  private async unseen({ run }: ReconciliationAttempt, entries: readonly PostedEntry[]): Promise<Unseen[]> {
    const all = entries.map((entry) => {
      const reference = entry.reference ?? `transfer:${entry.transfer}`;
      return { entry, reference, owner: ownerOf(reference) };
    });
    const references = all.map(({ reference }) => reference);
    const seen = await this.unseenPostings.seen(run.id, references);
    return all.filter(({ reference }) => !seen.has(reference));
  }

  private async examine(attempt: ReconciliationAttempt, unseen: Unseen, isAsked: boolean): Promise<void> {
    const { entry, reference, owner } = unseen;
    const common = { reference, booked: entry.amount, postedAt: entry.postedAt };
    if (owner === undefined) {
      await this.add(attempt, { ...common, ...NOBODYS, note: 'It was not posted for a payment' });
      return;
    }
    const known = await this.questions.ownerOf(owner);
    const ids = { kind: kindOf(owner, entry), payment: known?.payment ?? null, refund: known?.refund ?? null };
    if (known === undefined || !isAsked) {
      const note = isAsked ? null : 'The provider was not asked';
      await this.add(attempt, { ...common, ...ids, outcome: 'missing_there', provided: undefined, note });
      return;
    }
    const provided = await this.questions.ask(known);
    let outcome = outcomeOf(provided, await this.net(attempt, owner), entry.amount);
    if (outcome !== 'elsewhere' && provided.known) {
      await this.healer.refresh(known.payment);
      if (outcomeOf(provided, await this.net(attempt, owner), entry.amount) === 'elsewhere') outcome = 'healed';
    }
    await this.add(attempt, { ...common, ...ids, outcome, provided: provided.moved, note: provided.note });
  }

  /** What the clearing account has of a charge, of a refund there and back, or of a movement of a dispute. */
  private async net({ clearing }: ReconciliationAttempt, owner: PostingOwner): Promise<bigint> {
    const posted = await this.postings.byReference(clearing, referencesOf(owner), PAYMENT_CATEGORY);
    return [...posted.values()].reduce((sum, { amount }) => sum + amount.minor, 0n);
  }

  private add(attempt: ReconciliationAttempt, posting: UnseenPosting): Promise<void> {
    return attempt.save(async (tx) => {
      await this.unseenPostings.add(tx, attempt.run.id, posting);
      await this.runs.advance(tx, attempt.run.id, { asked: 1 });
    });
  }
}

const NOBODYS = { kind: 'other', payment: null, refund: null, outcome: 'missing_there', provided: undefined } as const;

function referencesOf(owner: PostingOwner): string[] {
  switch (owner.kind) {
    case 'charge':
      return [`settle:${owner.id}`];
    case 'refund':
      return [`refund-paid:${owner.id}`, `refund-returned:${owner.id}`];
    case 'dispute':
      return [`dispute:${owner.id}:${owner.key}`];
  }
}

/** What a dispute gave back is debited to the provider's mirror. */
function kindOf({ kind }: PostingOwner, { amount }: PostedEntry): UnseenPosting['kind'] {
  return kind === 'dispute' && amount.minor < 0n ? 'reinstatement' : kind;
}

/** @param net on the clearing account, the provider's mirror */
function outcomeOf({ moved, known, isOver }: Provided, net: bigint, booked: Money): UnseenPosting['outcome'] {
  if (moved === undefined) return known ? 'status' : 'missing_there';
  if (moved.currency !== booked.currency) return 'currency';
  if (moved.minor === -net) return 'elsewhere';
  return isOver ? 'amount' : 'status';
}

/** What comes before every version 7 made at that moment or later. */
function firstIdAt(time: Date): string {
  const digits = time.getTime().toString(16).padStart(12, '0');
  return `${digits.slice(0, 8)}-${digits.slice(8)}-0000-0000-000000000000`;
}
