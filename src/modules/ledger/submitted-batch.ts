import type { Outcome } from '../../platform/coalescer/index.js';
import {
  type AnswerContent,
  AlreadyAnsweredError,
  type IdempotencyClaim,
  IdempotencyKeyReusedError,
  isKept,
  type KnownClaim,
  whyNot,
} from '../../platform/idempotency/index.js';
import type { PostingOutcome, PostingRequest, Submission } from './posting.js';

/** What is stored for a request that renders no answer: that it has been carried out. */
const EMPTY: AnswerContent = { status: 204, contentType: '', body: '' };

/** A claim of the batch and what has come of it. */
interface Claimed {
  readonly claim: IdempotencyClaim;
  /** Place of the request that is carried out for all that make the same claim. */
  readonly first: number;
  known: KnownClaim | undefined;
}

/** A claim and the answer to store under it. */
export interface Completed {
  readonly claim: IdempotencyClaim;
  readonly answer: AnswerContent;
}

/**
 * The requests of one batch and their claims. Of those with the same scope and key the first is carried out; the others
 * repeat it, or are refused when they ask for something else.
 */
export class SubmittedBatch {
  private readonly claimed: Claimed[] = [];
  /** Of each request its claim, and what became of it. */
  private readonly claimOf: (Claimed | undefined)[];
  private readonly results: (Submission | undefined)[];

  constructor(private readonly requests: readonly PostingRequest[]) {
    const byName = new Map<string, Claimed>();
    this.results = requests.map(() => undefined);
    this.claimOf = requests.map(({ claim }, index) => {
      if (!claim) return undefined;
      // NUL occurs in neither part.
      const name = `${claim.scope}\0${claim.key}`;
      let claimed = byName.get(name);
      if (!claimed) {
        claimed = { claim, first: index, known: undefined };
        byName.set(name, claimed);
        this.claimed.push(claimed);
      }
      return claimed;
    });
  }

  /** Each scope and key once. */
  get claims(): readonly IdempotencyClaim[] {
    return this.claimed.map(({ claim }) => claim);
  }

  /** @param known of each of `claims`, in their order */
  know(known: readonly (KnownClaim | undefined)[]): void {
    this.claimed.forEach((claimed, index) => (claimed.known = known[index]));
  }

  /** The requests to carry out, in the order they came. */
  fresh(): readonly PostingRequest[] {
    return this.requests.filter((_, index) => this.isFresh(index));
  }

  /**
   * Keeps what became of the fresh requests, and renders their answers.
   *
   * @returns the answers to store: not those a repeat should find out anew
   */
  answer(outcomes: readonly (readonly PostingOutcome[])[]): readonly Completed[] {
    const completed: Completed[] = [];
    let next = 0;
    this.requests.forEach((request, index) => {
      if (!this.isFresh(index)) return;
      const own = outcomes[next++] ?? [];
      const answer = request.answer?.(own);
      this.results[index] = { outcomes: own, answer };
      const claim = this.claimOf[index]?.claim;
      if (claim && isKept((answer ?? EMPTY).status)) completed.push({ claim, answer: answer ?? EMPTY });
    });
    return completed;
  }

  /** @param createdAt of the answers stored now; undefined when there are none */
  settle(createdAt: Date | undefined): readonly Outcome<Submission>[] {
    return this.requests.map(({ claim }, index) => {
      const claimed = this.claimOf[index];
      if (!claim || !claimed) return this.resultOf(index);
      const { first, known } = claimed;
      if (known) return { error: whyNot(claim, known) };
      if (claimed.claim.fingerprint !== claim.fingerprint) return { error: new IdempotencyKeyReusedError() };
      const outcome = this.resultOf(first);
      if ('error' in outcome) return outcome;
      const { outcomes, answer } = outcome.result;
      // What is not stored was not answered for good: all who asked at once are told the same, as if for the first time.
      if (createdAt === undefined || !isKept((answer ?? EMPTY).status)) return outcome;
      if (first === index) return { result: { outcomes, answer, createdAt } };
      return { error: new AlreadyAnsweredError({ ...(answer ?? EMPTY), createdAt }) };
    });
  }

  private isFresh(index: number): boolean {
    const claimed = this.claimOf[index];
    return !claimed || (claimed.first === index && !claimed.known);
  }

  private resultOf(index: number): Outcome<Submission> {
    const result = this.results[index];
    return result ? { result } : { error: new Error('A request of the batch was not carried out') };
  }
}
