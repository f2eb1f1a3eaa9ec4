import type { Refusal } from '../platform/http/index.js';
import type { Route } from './routes.js';

/** What every route refuses that is of this one's kind, by who may call it, what it takes and what limits it. */
export function refusalsOfKind({ method, operation, policy, idempotent, rules, refusals }: Route): Refusal[] {
  const takesBody = method === 'post' || method === 'put' || method === 'patch';
  const places = new Set(operation.parameters?.map((each) => ('$ref' in each ? '' : each.in)));
  // The health routes: they answer without the database, and by plain HTTP.
  const asksNobody = policy === 'public' && method === 'get';
  const limits = policy === 'public' ? rules.anyone : method === 'get' ? rules.reading : rules.changing;
  return [
    ...only(takesBody || places.has('query') || places.has('path'), INVALID),
    ...only(takesBody, UNREADABLE),
    ...only(idempotent?.required ?? false, KEY_REQUIRED),
    ...only(idempotent !== null, KEY_INVALID),
    ...only(policy !== 'public', UNAUTHENTICATED),
    ...only(policy !== 'public' && policy.scopes.length > 0, FORBIDDEN),
    ...only(!asksNobody, BY_HTTP),
    ...only(places.has('path') && !refusals.some(({ status }) => status === 404), NOT_FOUND),
    ...only(idempotent !== null, KEY_IN_USE),
    ...only(takesBody, TOO_LARGE, NOT_JSON),
    ...only(idempotent !== null, KEY_REUSED),
    ...only(limits.length > 0, LIMITED),
    OUR_FAULT,
    ...only(!asksNobody, UNAVAILABLE),
  ];
}

function only(applies: boolean, ...these: Refusal[]): Refusal[] {
  return applies ? these : [];
}

const INVALID = refusal(400, 'VALIDATION_FAILED', 'a parameter or the body breaks a rule; `details.errors` names each');
const UNREADABLE = refusal(400, 'BAD_REQUEST', 'the body did not come as its headers say');
const KEY_REQUIRED = refusal(400, 'IDEMPOTENCY_KEY_REQUIRED', 'there is no `Idempotency-Key`');
const KEY_INVALID = refusal(
  400,
  'IDEMPOTENCY_KEY_INVALID',
  'it is malformed, came twice, or `X-Idempotency-Key` differs',
);
const UNAUTHENTICATED = refusal(401, 'UNAUTHENTICATED', 'no credential, or one that is unknown, expired or revoked');
const FORBIDDEN = refusal(403, 'FORBIDDEN', 'the credential lacks a scope; `details.missingScopes`');
const BY_HTTP = refusal(403, 'HTTPS_REQUIRED', 'it came to a trusted proxy by plain HTTP, and `PUBLIC_URL` is https');
const NOT_FOUND = refusal(404, 'NOT_FOUND', 'unknown, or not yours');
const KEY_IN_USE = refusal(409, 'IDEMPOTENCY_KEY_IN_USE', 'the first request with the key has not been answered yet');
const TOO_LARGE = refusal(413, 'PAYLOAD_TOO_LARGE', 'the body is larger than this route takes');
const NOT_JSON = refusal(415, 'UNSUPPORTED_MEDIA_TYPE', 'the body is not JSON');
const KEY_REUSED = refusal(422, 'IDEMPOTENCY_KEY_REUSED', 'the key came with another request before');
const LIMITED = refusal(429, 'RATE_LIMIT_EXCEEDED', '`RateLimit` names the limit');
const OUR_FAULT = refusal(500, 'INTERNAL_ERROR', 'our fault; the request id finds it in the log');
const UNAVAILABLE: Refusal = {
  status: 503,
  codes: ['DATABASE_UNAVAILABLE', 'COMMIT_OUTCOME_UNKNOWN', 'OVERLOADED', 'SERVICE_UNAVAILABLE'],
  why: 'try again after `Retry-After`, with the same idempotency key if there was one',
};

function refusal(status: number, code: string, why: string): Refusal {
  return { status, codes: [code], why };
}
