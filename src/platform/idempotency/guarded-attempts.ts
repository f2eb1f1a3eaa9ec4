import { Injectable, Logger } from '@nestjs/common';
import { isDatabaseUnavailable } from '../database/index.js';
import { CommitOutcomeUnknownError } from '../transaction/index.js';
import { whyNot } from './already-answered.error.js';
import { AttemptsInFlight } from './attempts-in-flight.js';
import type { AnswerContent } from './claim.js';
import { IdempotencyStore, type Ownership } from './idempotency-store.js';
import { isKept, isKeptRefusal } from './refusal.js';
import type { RequestClaim } from './request-claim.js';
import type { RequestIdempotency } from './request-idempotency.js';

/** What an attempt answers; with the time at which it was stored, if it is kept. */
type Attempted = AnswerContent & { readonly createdAt?: Date };

/**
 * For work that cannot commit together with its answer: claims the key, does the work, stores what it answers. Each step is
 * one commit of its own; a crash between two leaves the claim, and the next request with the key takes over once its lock
 * has ended.
 */
@Injectable()
export class GuardedAttempts {
  private readonly logger = new Logger(GuardedAttempts.name);

  constructor(
    private readonly store: IdempotencyStore,
    private readonly inFlight: AttemptsInFlight,
  ) {}

  /**
   * @param idempotency is told `resumed` and `signal` before the work begins
   * @throws AlreadyAnsweredError, IdempotencyKeyReusedError (422), IdempotencyKeyInUseError (409); and what the work throws,
   *   unless it is a refusal that is kept
   */
  async run(idempotency: RequestIdempotency, work: () => Promise<unknown>): Promise<Attempted> {
    const { claim } = idempotency;
    const askedAt = performance.now();
    const acquired = await this.store.acquire(claim);
    if ('known' in acquired) throw whyNot(claim, acquired.known);
    idempotency.resumed = acquired.resumed;
    idempotency.signal = this.inFlight.hold(acquired, askedAt);
    try {
      return await this.attempt(claim, acquired, work);
    } finally {
      this.inFlight.drop(acquired);
    }
  }

  private async attempt(claim: RequestClaim, attempt: Ownership, work: () => Promise<unknown>): Promise<Attempted> {
    let answer: AnswerContent;
    try {
      answer = claim.render(await work());
    } catch (error) {
      if (!isKeptRefusal(error)) {
        // What may have been committed must not be done again as if nothing had happened: the claim stays, and who takes
        // over is told that it resumes.
        if (!isDatabaseUnavailable(error) && !(error instanceof CommitOutcomeUnknownError))
          await this.giveBack(attempt);
        throw error;
      }
      answer = claim.render(error);
    }
    if (!isKept(answer.status)) {
      await this.giveBack(attempt);
      return answer;
    }
    const createdAt = await this.store.complete(attempt, answer);
    if (createdAt === undefined) throw await this.whyLost(claim);
    return claim.record(answer, createdAt);
  }

  /** Another attempt has taken over: what it answers is the answer. */
  private async whyLost(claim: RequestClaim): Promise<Error> {
    const known = await this.store.find(claim);
    return whyNot(claim, known ?? { state: 'in_flight', fingerprint: claim.fingerprint, retryAfter: 1 });
  }

  /** If that fails, the next request with the key waits for the end of the lock, and is told that it resumes. */
  private async giveBack(attempt: Ownership): Promise<void> {
    try {
      await this.store.release(attempt);
    } catch (error) {
      this.logger.warn({ msg: 'An idempotency key could not be given back', scope: attempt.claim.scope, err: error });
    }
  }
}
