import { describe, expect, it } from '@jest/globals';
import { loggedPath } from './logged-path.js';

describe('loggedPath', () => {
  it.each([
    ['/api/wallet/balance', '/api/wallet/balance'],
    ['/api/rate-limits/api-key%3A0192/override', '/api/rate-limits/api-key%3A0192/override'],
    ['/api/events/caf%C3%A9', '/api/events/caf%C3%A9'],
  ])('leaves %s as it is', (url, path) => expect(loggedPath(url)).toBe(path));

  it('leaves out the query', () => expect(loggedPath('/api/audit?subject=anna@example.com')).toBe('/api/audit'));

  it.each([
    'anna@example.com',
    'anna%40example.com',
    'anna%2540example.com',
    'anna%252540example.com',
    '%61nna%EF%BC%A0example.com',
    'anna%40example.com%ff',
    'anna%25252540example.com',
  ])('leaves out an address written as %s', (text) => {
    expect(loggedPath(`/api/email-limits/verification/${text}/override`)).toBe(
      '/api/email-limits/verification/[redacted]/override',
    );
  });

  it('leaves out secrets', () => expect(loggedPath(`/keys/hf_live_${'a'.repeat(30)}`)).toBe('/keys/[redacted]'));
});
