import type { OpenAPIObject } from '@nestjs/swagger';

type Headers = NonNullable<NonNullable<OpenAPIObject['components']>['headers']>;

const COUNT = { type: 'integer', minimum: 0 } as const;

/** Every header of an answer that callers may build on. */
export const HEADERS = {
  'X-Request-Id': {
    description: 'Names the request in our logs; the one that was sent, if it was well-formed.',
    required: true,
    schema: { type: 'string' },
  },
  'Retry-After': { description: 'Seconds until it is worth another try.', schema: COUNT },
  'WWW-Authenticate': { description: 'RFC 9110, section 11.6.1.', schema: { type: 'string' } },
  'X-RateLimit-Limit': { description: 'Of the tightest limit: requests in its window.', schema: COUNT },
  'X-RateLimit-Remaining': { description: 'Of the tightest limit: requests left.', schema: COUNT },
  'X-RateLimit-Reset': {
    description: 'When the whole of it is free again.',
    schema: { type: 'string', format: 'date-time' },
  },
  RateLimit: {
    description: 'The tightest limit, what is left of it and in how many seconds it is whole (IETF draft).',
    schema: { type: 'string', example: '"perMinute";r=99;t=60' },
  },
  'RateLimit-Policy': {
    description: 'Every limit that applies (IETF draft).',
    schema: { type: 'string', example: '"perSecond";q=10;w=1, "perMinute";q=100;w=60' },
  },
  'X-Idempotent-Replay': {
    description: '`true` when this is the answer to an earlier request with the same key.',
    schema: { type: 'string', enum: ['true'] },
  },
  'Idempotent-Replayed': { description: 'The same.', schema: { type: 'string', enum: ['true'] } },
  'X-Idempotency-Age': { description: 'Seconds since that request was answered.', schema: COUNT },
  'X-Idempotency-Created': {
    description: 'When that request was answered.',
    schema: { type: 'string', format: 'date-time' },
  },
} as const satisfies Headers;

export type HeaderName = keyof typeof HEADERS;

export const RATE_LIMIT_HEADERS: readonly HeaderName[] = [
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'RateLimit',
  'RateLimit-Policy',
];

export const REPLAY_HEADERS: readonly HeaderName[] = [
  'X-Idempotent-Replay',
  'Idempotent-Replayed',
  'X-Idempotency-Age',
  'X-Idempotency-Created',
];

export function headerReferences(names: readonly HeaderName[]): Record<string, { $ref: string }> {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}
