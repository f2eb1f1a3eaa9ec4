import { expect } from '@jest/globals';
import type { TestServer } from './server.js';

/** An HTTP answer, read to its end. */
export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  /** The text as JSON; empty when it is none. */
  body: Record<string, unknown>;
}

export async function answerOf(response: Response): Promise<Answer> {
  const { status, headers } = response;
  const text = await response.text();
  return { status, headers, text, body: jsonObject(text) };
}

/** Calls the JSON API with the admin key, or with `key`. */
export async function call(
  server: TestServer,
  method: string,
  path: string,
  body?: unknown,
  key?: string,
): Promise<Answer> {
  const headers = {
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...(key !== undefined && { authorization: `Bearer ${key}` }),
  };
  const payload = typeof body === 'string' ? body : JSON.stringify(body);
  return answerOf(await server.fetch(path, { method, headers, ...(payload !== undefined && { body: payload }) }));
}

/** All members of RFC 9457 and of api.md are there, say the same as the status line, and nothing else is. */
export function expectProblem({ status, headers, body }: Answer, expectedStatus: number, code: string): void {
  expect({ status, code: body['code'], detail: body['detail'] }).toEqual({
    status: expectedStatus,
    code,
    detail: expect.any(String),
  });
  expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(body).toEqual({
    type: `urn:holdfast:problem:${code.toLowerCase().replaceAll('_', '-')}`,
    title: expect.stringMatching(/^[A-Z]/),
    status: expectedStatus,
    detail: expect.stringMatching(/\S/),
    instance: expect.stringMatching(/^\//),
    code,
    error: body['title'],
    details: expect.any(Object),
    requestId: headers.get('x-request-id'),
  });
}

/** Empty when the text is no JSON object. */
export function jsonObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
