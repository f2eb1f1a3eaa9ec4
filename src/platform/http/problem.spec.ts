import { expect, it } from '@jest/globals';
import { toProblem } from './problem.js';

it.each(['40001', '40P01'])('tells who was still in the way of others at the last try to come again: %s', (code) => {
  const { problem, headers } = toProblem(Object.assign(new Error('deadlock detected'), { code }), '/api', 'request-1');
  expect(problem).toMatchObject({ status: 503, code: 'SERVICE_UNAVAILABLE', requestId: 'request-1' });
  expect(headers).toMatchObject({ 'Retry-After': '1' });
  expect(JSON.stringify(problem)).not.toContain('deadlock');
});
