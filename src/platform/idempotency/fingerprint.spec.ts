import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from '@jest/globals';
import { fingerprint, SecretFingerprint, textOf } from './fingerprint.js';

type Part = Parameters<typeof textOf>[0];
/** The parts of a request that count. */
const request = (parts: { params?: object; query?: object; body?: unknown }) =>
  ({ params: {}, query: {}, body: undefined, ...parts }) as unknown as Part;
const of = (parts: Parameters<typeof request>[0], method = 'POST', route = '/api/things/:id') =>
  fingerprint(textOf(request(parts), method, route));

const bodies = fc.jsonValue({ maxDepth: 3 });
/** -0 is 0 on the wire. */
const asSent = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

describe('The fingerprint of a request', () => {
  it('is the same for every order of members', () => {
    const one = of({ body: { amount: 5, to: { b: 1, a: [1, 2] } } });
    expect(of({ body: { to: { a: [1, 2], b: 1 }, amount: 5.0 } })).toBe(one);
    expect(one).toMatch(/^[0-9a-f]{64}$/);
  });

  it('tells two bodies apart, whatever they are', () => {
    fc.assert(
      fc.property(bodies, bodies, (one, other) => {
        fc.pre(one !== null && other !== null);
        expect(of({ body: one }) === of({ body: other })).toBe(isDeepStrictEqual(asSent(one), asSent(other)));
      }),
    );
  });

  it.each([
    ['method', of({}, 'PUT')],
    ['route', of({}, 'POST', '/api/other/:id')],
    ['path parameter', of({ params: { id: '2' } })],
    ['query', of({ query: { id: '1' } })],
    ['query parameter given twice', of({ query: { id: ['1', '1'] } })],
    ['body', of({ body: { id: '1' } })],
    ['body that says what the path says', of({ body: {} })],
  ])('is another one with another %s', (_, other) => {
    const all = [of({}), of({ params: { id: '1' } })];
    expect(all).not.toContain(other);
  });

  it('does not confuse path, query and body', () => {
    const parts = [of({ params: { a: '1' } }), of({ query: { a: '1' } }), of({ body: { a: '1' } })];
    expect(new Set(parts).size).toBe(3);
  });

  it('refuses a number that is none, as JSON.parse makes of 1e400', () => {
    expect(() => of({ body: JSON.parse('{"amount":1e400}') })).toThrow('not a JSON number');
  });
});

describe('The fingerprint of a request with a secret', () => {
  it('needs the key: without it the secret cannot be guessed', () => {
    const text = textOf(request({ body: { secret: 'hunter22' } }), 'POST', '/');
    const made = new SecretFingerprint(Buffer.alloc(32, 1)).of(text);
    expect(made).toMatch(/^[0-9a-f]{64}$/);
    expect(new SecretFingerprint(Buffer.alloc(32, 1)).of(text)).toBe(made);
    expect(new SecretFingerprint(Buffer.alloc(32, 2)).of(text)).not.toBe(made);
    expect(fingerprint(text)).not.toBe(made);
  });
});
