import { describe, expect, it } from '@jest/globals';
import { AlreadyAnsweredError, type IdempotencyClaim, type KnownClaim } from '../../platform/idempotency/index.js';
import type { PostingOutcome, PostingRequest } from './posting.js';
import { SubmittedBatch } from './submitted-batch.js';
import { accountNotFound } from './ledger.errors.js';

const NOW = new Date('2026-03-01T12:00:00Z');
const EARLIER = new Date('2026-02-01T12:00:00Z');
const OUTCOME: PostingOutcome = { refused: accountNotFound() };

function claim(key: string, fingerprint = 'one', scope = 'api-key:a'): IdempotencyClaim {
  return { scope, key, fingerprint };
}

function request(of: IdempotencyClaim | undefined, status = 201): PostingRequest {
  const body = `answer to ${of?.key}`;
  return {
    postings: [],
    mode: 'atomic',
    by: { actor: 'test' },
    claim: of,
    answer: () => ({ status, contentType: 'text/plain', body }),
  };
}

function completed(fingerprint: string, body: string): KnownClaim {
  const answer = { status: 201, contentType: 'text/plain', body, createdAt: EARLIER, expiresAt: NOW };
  return { state: 'completed', fingerprint, answer };
}

/** Carries the batch out: what is known comes in the order of the claims. */
function settle(requests: PostingRequest[], known: (KnownClaim | undefined)[] = []) {
  const batch = new SubmittedBatch(requests);
  batch.know(known);
  const fresh = batch.fresh();
  const stored = batch.answer(fresh.map(() => [OUTCOME]));
  return { fresh, stored, outcomes: batch.settle(stored.length > 0 ? NOW : undefined) };
}

describe('the claims of a batch', () => {
  it('are carried out once each, and without a claim always', () => {
    const requests = [request(undefined), request(claim('k1')), request(claim('k2')), request(undefined)];
    const { fresh, stored, outcomes } = settle(requests);
    expect(fresh).toEqual(requests);
    expect(stored.map((each) => each.answer.body)).toEqual(['answer to k1', 'answer to k2']);
    expect(outcomes[1]).toMatchObject({ result: { outcomes: [OUTCOME], createdAt: NOW } });
    expect(outcomes[0]).toMatchObject({ result: { outcomes: [OUTCOME] } });
    expect(outcomes[0]).not.toMatchObject({ result: { createdAt: NOW } });
  });

  it('that come twice in one batch: the second reads the answer of the first', () => {
    const { fresh, stored, outcomes } = settle([request(claim('k1')), request(claim('k1'))]);
    expect([fresh.length, stored.length]).toEqual([1, 1]);
    expect(outcomes[1]).toEqual({ error: expect.any(AlreadyAnsweredError) });
    expect(outcomes[1]).toMatchObject({ error: { answer: { ...stored[0]?.answer, createdAt: NOW } } });
  });

  it('that come twice for different things: the second is refused', () => {
    const { fresh, outcomes } = settle([request(claim('k1', 'one')), request(claim('k1', 'two'))]);
    expect(fresh.length).toBe(1);
    expect(outcomes[1]).toMatchObject({ error: { code: 'IDEMPOTENCY_KEY_REUSED', status: 422 } });
  });

  it('are apart when their scopes differ', () => {
    const { fresh } = settle([request(claim('k1', 'one', 'api-key:a')), request(claim('k1', 'one', 'api-key:b'))]);
    expect(fresh.length).toBe(2);
  });

  it('that are known are answered as before', () => {
    const { fresh, outcomes } = settle([request(claim('k1')), request(claim('k2'))], [completed('one', 'before')]);
    expect(fresh.map((each) => each.claim?.key)).toEqual(['k2']);
    expect(outcomes[0]).toEqual({ error: expect.any(AlreadyAnsweredError) });
    expect(outcomes[0]).toMatchObject({ error: { answer: { body: 'before', createdAt: EARLIER } } });
  });

  it('that are known for another request are refused, in flight they wait', () => {
    const inFlight: KnownClaim = { state: 'in_flight', fingerprint: 'one', retryAfter: 3 };
    const { fresh, outcomes } = settle(
      [request(claim('k1')), request(claim('k2'))],
      [completed('another', 'before'), inFlight],
    );
    expect(fresh).toEqual([]);
    expect(outcomes[0]).toMatchObject({ error: { code: 'IDEMPOTENCY_KEY_REUSED' } });
    expect(outcomes[1]).toMatchObject({ error: { code: 'IDEMPOTENCY_KEY_IN_USE', retryAfter: 3 } });
  });

  it.each([400, 401, 429, 500, 503])('keep no answer of status %i; who asked at once reads the same', (status) => {
    const { stored, outcomes } = settle([request(claim('k1'), status), request(claim('k1'), status)]);
    expect(stored).toEqual([]);
    expect(outcomes[1]).toEqual(outcomes[0]);
    expect(outcomes[0]).toMatchObject({ result: { outcomes: [OUTCOME], answer: { status } } });
  });

  it.each([200, 201, 402, 404, 409])('keep an answer of status %i', (status) => {
    expect(settle([request(claim('k1'), status)]).stored).toMatchObject([{ answer: { status } }]);
  });

  it('without an answer of their own keep that they were carried out', () => {
    const { stored } = settle([{ ...request(claim('k1')), answer: undefined }]);
    expect(stored).toMatchObject([{ claim: { key: 'k1' }, answer: { status: 204, body: '' } }]);
  });
});
