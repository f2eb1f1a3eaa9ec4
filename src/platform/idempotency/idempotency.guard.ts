import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { CONFIG, type Config } from '../../config/index.js';
import { SecretBox } from '../encryption/index.js';
import { AnswerCache } from './answer-cache.js';
import { type ClaimingRequest, fingerprint, SecretFingerprint, textOf } from './fingerprint.js';
import { IdempotencyKeyRequiredError, IdempotencyKeyReusedError } from './idempotency.errors.js';
import { type IdempotentOptions, IdempotentRoutes } from './idempotent-route.js';
import { IdempotencyOutcomes } from './idempotency-outcomes.js';
import { IdempotencyStore } from './idempotency-store.js';
import { readIdempotencyKey } from './key-header.js';
import { RequestClaim } from './request-claim.js';
import type { RequestIdempotency } from './request-idempotency.js';
import { SecretAnswers } from './secret-answers.js';

/**
 * A repeat that no cache knows is found out by whoever would carry it out, at the price of a request of its size. For a
 * batch that price is high and a repeat is free, so the database is asked first: it must not stand in the queue for money.
 */
const HEAVY_BYTES = 16 * 1024;

/**
 * Reads the key, computes what it claims and looks into the cache of answers. It runs after the `AuthGuard`, because a key
 * belongs to who is calling, and before the `RateLimitGuard`, because a repeat is free. A cache that knows nothing proves
 * nothing: then the handler's own transaction, or the claim of the guarded route, decides.
 */
@Injectable()
export class IdempotencyGuard implements CanActivate {
  private readonly routes = new IdempotentRoutes();
  private readonly secretFingerprint: SecretFingerprint;
  private readonly secretAnswers: SecretAnswers;

  constructor(
    @Inject(CONFIG) config: Pick<Config, 'encryptionKey'>,
    secretBox: SecretBox,
    private readonly cache: AnswerCache,
    private readonly store: IdempotencyStore,
    private readonly outcomes: IdempotencyOutcomes,
  ) {
    this.secretFingerprint = new SecretFingerprint(config.encryptionKey);
    this.secretAnswers = new SecretAnswers(secretBox);
  }

  /**
   * @throws IdempotencyKeyRequiredError, IdempotencyKeyInvalidError (400)
   * @throws IdempotencyKeyReusedError (422) when the cache knows another request under the key
   */
  canActivate(context: ExecutionContext): true | Promise<true> {
    const options = this.routes.of(context.getHandler());
    if (options === null) return true;
    const http = context.switchToHttp();
    const request = http.getRequest<ClaimingRequest>();
    const key = readIdempotencyKey(request.headers);
    if (key === undefined) {
      if (options.required) throw new IdempotencyKeyRequiredError();
      return true;
    }
    const idempotency: RequestIdempotency = { claim: this.claimOf(request, http.getResponse(), key, options) };
    request.idempotency = idempotency;
    const remembered = this.cache.inMemory(idempotency.claim);
    if (remembered !== undefined) {
      this.repeat(idempotency, remembered.fingerprint);
      idempotency.answer = remembered;
      this.outcomes.count('memory');
      return endOfTurn();
    }
    const isHeavy = Number(request.headers['content-length'] ?? Infinity) > HEAVY_BYTES;
    return this.cache.isShared || isHeavy ? this.lookUp(idempotency, isHeavy) : true;
  }

  private async lookUp(idempotency: RequestIdempotency, isHeavy: boolean): Promise<true> {
    const remembered = await this.cache.inRedis(idempotency.claim);
    if (remembered !== undefined) {
      this.repeat(idempotency, remembered.fingerprint);
      idempotency.answer = remembered;
      this.outcomes.count('redis');
    } else if (isHeavy) {
      await this.askDatabase(idempotency);
    }
    return true;
  }

  private async askDatabase(idempotency: RequestIdempotency): Promise<void> {
    const { claim } = idempotency;
    const known = await this.store.find(claim);
    if (known?.state !== 'completed') return;
    this.repeat(idempotency, known.fingerprint);
    idempotency.answer = known.answer;
    this.outcomes.count('database');
    this.cache.remember(claim, known.answer, known.answer.createdAt);
  }

  private repeat({ claim }: RequestIdempotency, known: string): void {
    if (known === claim.fingerprint) return;
    this.outcomes.count('reused');
    throw new IdempotencyKeyReusedError();
  }

  private claimOf(
    request: ClaimingRequest,
    reply: FastifyReply,
    key: string,
    { confidential }: IdempotentOptions,
  ): RequestClaim {
    const { method, principal } = request;
    const route = request.routeOptions.url ?? '';
    const text = textOf(request, method, route);
    return new RequestClaim(
      `${principal?.actor ?? 'anonymous'}:${method}:${route}`,
      key,
      confidential ? this.secretFingerprint.of(text) : fingerprint(text),
      { request, reply, secrets: confidential ? this.secretAnswers : undefined },
    );
  }
}

let turn: Promise<true> | undefined;

/**
 * The repeats of a turn of the event loop are answered together at its end: their readers are woken while answers are
 * still being written and not once for each, which cost three times the repeat itself.
 */
function endOfTurn(): Promise<true> {
  turn ??= new Promise((resolve) => {
    setImmediate(() => {
      turn = undefined;
      resolve(true);
    });
  });
  return turn;
}
