import type { FastifyReply, FastifyRequest } from 'fastify';
import { AppError } from '../../kernel/app-error.js';
import { answerOf } from './answer-writer.js';
import type { AnswerContent, FirstAnswer, IdempotencyClaim } from './claim.js';
import { refusalAnswer } from './refusal.js';
import type { SecretAnswers } from './secret-answers.js';

/** The request that makes a claim, and where it is answered. */
interface Exchange {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  /** Of a route whose answers must not be read in the database. */
  readonly secrets: SecretAnswers | undefined;
}

/**
 * The claim of a request on its way to an answer. The answer is rendered once, before the commit that records it, and what
 * was recorded is what is sent.
 */
export class RequestClaim implements IdempotencyClaim {
  readonly #exchange: Exchange;
  #recorded: FirstAnswer | undefined;

  constructor(
    readonly scope: string,
    readonly key: string,
    readonly fingerprint: string,
    exchange: Exchange,
  ) {
    this.#exchange = exchange;
  }

  /** What this request has recorded. */
  get recorded(): FirstAnswer | undefined {
    return this.#recorded;
  }

  /**
   * Pure and fast; an answer may be rendered again when its transaction is run again.
   *
   * @param result what the handler returns, with the status the reply has by now, or the refusal it throws
   * @returns what to store
   */
  render(result: unknown): AnswerContent {
    const { request, reply, secrets } = this.#exchange;
    const answer = result instanceof AppError ? refusalAnswer(result, request) : answerOf(reply, result);
    return secrets === undefined ? answer : secrets.seal(this, answer);
  }

  /** To be called after the commit only: says what was stored. */
  record({ status, contentType, body }: AnswerContent, createdAt: Date): FirstAnswer {
    this.#recorded = { status, contentType, body, createdAt };
    return this.#recorded;
  }

  /** What to send of a stored answer. */
  open(stored: AnswerContent): AnswerContent {
    const { secrets } = this.#exchange;
    return secrets === undefined ? stored : secrets.open(this, stored);
  }
}
