import { describe, expect, it } from '@jest/globals';
import { JobGivenUpError } from '../jobs/index.js';
import { mailJob, mailOf } from './mail-job.js';
import { MAIL } from './mailer.contract.js';

describe('the job of a mail', () => {
  it('gives the mail back as it was', () => {
    expect(mailOf(mailJob(MAIL).payload)).toEqual(MAIL);
    const withLink = { ...MAIL, link: 'https://app.example.com/?token=abc' };
    expect(mailOf(mailJob(withLink).payload)).toEqual(withLink);
  });

  it('expires after a day unless told otherwise', () => {
    expect(mailJob(MAIL).expiresInMs).toBe(86_400_000);
    expect(mailJob(MAIL, 1000).expiresInMs).toBe(1000);
  });

  it.each([
    'anna@example.com\r\nBcc: eve@example.com',
    'anna@example.com, eve@example.com',
    'Anna <anna@example.com>',
    'anna@example.com\0',
    '',
    7,
  ])('is given up when it would go to anything but one address, and does not repeat it: %j', (to) => {
    const payload = { ...mailJob(MAIL).payload, to };
    expect(() => mailOf(payload)).toThrow(JobGivenUpError);
    expect(() => mailOf(payload)).toThrow(/^(?!.*anna)/);
  });

  it.each([
    ['Hello\r\nBcc: eve@example.com', 'Hello Bcc: eve@example.com'],
    ['Hello\u2028there\u0085you', 'Hello there you'],
    ['\n', ''],
  ])('has one line of subject: %j', (subject, line) => {
    expect(mailJob({ ...MAIL, subject }).payload['subject']).toBe(line);
  });

  it.each(['', 'Verification', '../x', 'a b', 'a'.repeat(65)])('has a kind that is a word: not %j', (kind) => {
    expect(() => mailJob({ ...MAIL, kind })).toThrow(RangeError);
  });

  it('is given up when its payload is none', () => {
    expect(() => mailOf({ to: 'anna@example.com' })).toThrow(JobGivenUpError);
  });
});
