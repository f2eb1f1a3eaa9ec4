import { describe, expect, it } from '@jest/globals';
import { JsonLogger } from './json-logger.js';
import { PlainLine } from './plain-line.js';

function lines(write: (logger: JsonLogger) => void): string {
  let text = '';
  write(new JsonLogger('info', { write: (line: string) => (text += line) }));
  return text;
}

describe('JsonLogger', () => {
  it('writes one JSON object a line with level, time, context and message', () => {
    const line: unknown = JSON.parse(lines((logger) => logger.log('hello', 'Greeter')));
    expect(line).toMatchObject({
      level: 'info',
      context: 'Greeter',
      msg: 'hello',
      time: expect.stringMatching(/^\d{4}-/),
    });
  });

  it.each([
    ['a field', { authorization: 'Bearer abcdefghijkl' }],
    ['a nested field', { headers: { cookie: 'abcdefghijkl', 'x-api-key': 'abcdefghijkl' } }],
    ['a deeply nested field', { request: { body: { password: 'abcdefghijkl', secret: 'abcdefghijkl' } } }],
    ['an API key in a message', { msg: 'key hf_live_abcdefghijklmnopqrstuvwxyz' }],
    ['a refresh token in a message', { msg: 'token hfr_abcdefghijkl-nopqr_tuvwxyz' }],
    ['a mailed token in a URL', { url: '/verify-email?token=hfm_abcdefghijkl-nopqr_tuvwxyz' }],
    ['an access token', { msg: 'eyJabcdefghijkl.eyJabcdefghijkl.abcdefghijkl' }],
    ['a signing secret in an error', { err: new Error('bad secret whsec_abcdefghijkl') }],
    ['a provider key in a URL', { url: '/charge?key=sk_live_abcdefghijkl' }],
    ['a database password', { msg: 'cannot reach postgresql://holdfast:abcdefghijkl@db:5432/holdfast' }],
    ['a bearer token in text', { msg: 'sent Authorization: Bearer abcdefghijkl.abc' }],
  ])('never writes a secret: %s', (_, message) => {
    const text = lines((logger) => logger.error(message));
    expect(text).not.toContain('abcdefghijkl');
    expect(text).toContain('[redacted]');
  });

  it('writes a plain line as it is, for what is meant to be copied from the log', () => {
    const link = 'http://127.0.0.1:3000/verify?token=hf_abcdefghijklmnopqrstuvwxyz&for=anna@example.com';
    expect(lines((logger) => logger.log({ msg: 'a line', link }))).not.toContain(link);
    const line: unknown = JSON.parse(lines((logger) => logger.log(new PlainLine({ msg: 'a line', link }), 'Context')));
    expect(line).toMatchObject({ level: 'info', context: 'Context', msg: 'a line', link });
  });

  it('leaves out what is below its level', () => {
    expect(lines((logger) => logger.debug('quiet'))).toBe('');
  });
});
