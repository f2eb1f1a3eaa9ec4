import type { FastifyRequest } from 'fastify';
import { describe, expect, it } from '@jest/globals';
import { AppError, ConflictError, NotFoundError, UnavailableError, ValidationError } from '../../kernel/app-error.js';
import { isKept, isKeptRefusal, refusalAnswer } from './refusal.js';

class RefusedWith extends AppError {
  readonly code = 'REFUSED';
  readonly title = 'Refused';

  constructor(
    readonly status: number,
    retryAfter?: number,
  ) {
    super('No.', { ...(retryAfter !== undefined && { retryAfter }) });
  }
}

const request = { url: '/api/things?a=1', id: 'request-1' } as FastifyRequest;

describe('isKeptRefusal', () => {
  it.each([new RefusedWith(402), new NotFoundError('No such thing.'), new ConflictError('Done already.')])(
    'keeps a refusal by the state of things: %s',
    (error) => {
      expect(isKeptRefusal(error)).toBe(true);
      const answer = refusalAnswer(error, request);
      expect(answer).toMatchObject({ status: error.status, contentType: 'application/problem+json; charset=utf-8' });
      expect(JSON.parse(answer.body)).toMatchObject({
        status: error.status,
        code: error.code,
        instance: '/api/things',
        requestId: 'request-1',
      });
    },
  );

  it.each([
    new ValidationError('Bad.'),
    new RefusedWith(401),
    new RefusedWith(403),
    new RefusedWith(422),
    new RefusedWith(429),
    new UnavailableError('Away.'),
    new RefusedWith(500),
    new Error('A bug'),
    'not even an error',
  ])('keeps nothing of what went wrong on the way: %s', (error) => {
    expect(isKeptRefusal(error)).toBe(false);
  });

  it('does not keep a conflict that says when to come back', () => {
    expect(isKeptRefusal(new RefusedWith(409, 1))).toBe(false);
  });
});

describe('isKept', () => {
  it('keeps successes and refusals by state', () => {
    const kept = [200, 201, 202, 204, 303, 400, 401, 402, 403, 404, 409, 422, 429, 500, 503].filter(isKept);
    expect(kept).toEqual([200, 201, 202, 204, 303, 402, 404, 409]);
  });
});
