import type { Schemas } from './inputs.js';

/** RFC 9457 with our extension members: `Problem` of `platform/http`. */
export const PROBLEM: Schemas[string] = {
  type: 'object',
  description: 'A refusal, RFC 9457. Switch on `code`; it does not change.',
  properties: {
    type: {
      type: 'string',
      format: 'uri',
      description: '`urn:holdfast:problem:` and the code in lower case with hyphens.',
      example: 'urn:holdfast:problem:validation-failed',
    },
    title: { type: 'string', description: 'The same for every refusal with this code.' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    detail: { type: 'string', description: 'What went wrong this time and how to mend it, for people.' },
    instance: { type: 'string', description: 'The path that was asked for.', example: '/api/wallet/transfers' },
    code: { type: 'string', description: 'Stable.', example: 'VALIDATION_FAILED', pattern: '^[A-Z]+(_[A-Z]+)*$' },
    error: { type: 'string', description: 'The same as `title`.' },
    details: {
      type: 'object',
      description: 'Facts about it, by code.',
      properties: {
        errors: {
          type: 'array',
          description: 'Of VALIDATION_FAILED: what is wrong where.',
          items: {
            type: 'object',
            properties: { path: { type: 'string', example: 'transfers.0.amount' }, message: { type: 'string' } },
            required: ['path', 'message'],
          },
        },
        retryAfter: { type: 'integer', description: 'Of RATE_LIMIT_EXCEEDED: seconds.' },
        resetAt: { type: 'string', format: 'date-time', description: 'Of RATE_LIMIT_EXCEEDED.' },
      },
      additionalProperties: true,
    },
    requestId: { type: 'string', description: 'The same as `X-Request-Id`; finds it in the log.' },
  },
  required: ['type', 'title', 'status', 'detail', 'instance', 'code', 'error', 'details', 'requestId'],
};
