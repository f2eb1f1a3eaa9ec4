import type { OpenAPIObject } from '@nestjs/swagger';
import { STATUS_CODES } from 'node:http';
import type { Refusal } from '../platform/http/index.js';
import { headerReferences, type HeaderName, RATE_LIMIT_HEADERS, REPLAY_HEADERS } from './headers.js';
import { refusalsOfKind } from './refusals.js';
import type { Route } from './routes.js';

export type Responses = NonNullable<NonNullable<OpenAPIObject['components']>['responses']>;
type Response = Exclude<Responses[string], { $ref: string }>;

/**
 * Puts every answer of a route into the document: what succeeds as its controller describes it, every refusal as a problem
 * that names its codes, and the headers of both.
 *
 * @param shared answers that routes have in common, by name; those of this route are added
 */
export function describeAnswers(route: Route, shared: Responses): void {
  const { responses } = route.operation;
  const ofKind = refusalsOfKind(route);
  const isLimited = [...ofKind, ...route.refusals].some(({ status }) => status === 429);
  const headers: HeaderName[] = [
    'X-Request-Id',
    ...(isLimited ? RATE_LIMIT_HEADERS : []),
    ...(route.idempotent !== null ? REPLAY_HEADERS : []),
  ];
  for (const [status, response] of Object.entries(responses)) {
    if (response === undefined || '$ref' in response) continue;
    response.description ||= STATUS_CODES[status] ?? '';
    response.headers = headerReferences(Number(status) < 400 ? headers : headersOf(Number(status)));
  }
  for (const [status, refusals] of byStatus([...ofKind, ...route.refusals])) {
    const [refusal, ...others] = refusals;
    const known = responses[status];
    if (known === undefined && others.length === 0 && refusal !== undefined && ofKind.includes(refusal)) {
      const name = (STATUS_CODES[status] ?? '').replaceAll(' ', '');
      shared[name] ??= refused(status, refusals);
      responses[status] = { $ref: `#/components/responses/${name}` };
    } else {
      // Next to what a controller describes of the same status.
      const described = known === undefined || '$ref' in known ? undefined : known;
      const answer = refused(status, refusals);
      responses[status] = described ? { ...answer, content: { ...described.content, ...answer.content } } : answer;
    }
  }
}

function byStatus(refusals: readonly Refusal[]): Map<number, Refusal[]> {
  const grouped = new Map<number, Refusal[]>();
  for (const refusal of refusals) grouped.set(refusal.status, [...(grouped.get(refusal.status) ?? []), refusal]);
  return grouped;
}

function refused(status: number, refusals: readonly Refusal[]): Response {
  const codes = [...new Set(refusals.flatMap((each) => each.codes))];
  const lines = refusals.map(
    ({ codes: own, why }) => own.map((code) => `\`${code}\``).join(', ') + (why ? `: ${why}` : ''),
  );
  const schema = {
    allOf: [
      { $ref: '#/components/schemas/Problem' },
      { type: 'object', properties: { status: { enum: [status] }, code: { enum: codes } } },
    ],
  };
  return {
    description: lines.length === 1 ? lines.join() : lines.map((line) => `- ${line}`).join('\n'),
    headers: headerReferences(headersOf(status, codes)),
    content: { 'application/problem+json': { schema } },
  };
}

function headersOf(status: number, codes: readonly string[] = []): HeaderName[] {
  const always: HeaderName[] = ['X-Request-Id'];
  if (codes.includes('UNAUTHENTICATED')) return [...always, 'WWW-Authenticate'];
  if (status === 429) return [...always, 'Retry-After', ...RATE_LIMIT_HEADERS];
  return status === 409 || status === 503 ? [...always, 'Retry-After'] : always;
}
