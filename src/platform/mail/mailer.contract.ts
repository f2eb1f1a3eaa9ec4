import { describe, expect, it } from '@jest/globals';
import { type EmailAddress, emailAddress } from '../../kernel/email-address.js';
import type { Mail } from './mail.js';
import type { Mailer } from './mailer.js';

/** @throws RangeError when it is none */
export function addressOf(text: string): EmailAddress {
  const address = emailAddress(text);
  if (address === undefined) throw new RangeError(`${text} is no address`);
  return address;
}

export const MAIL: Mail = {
  to: addressOf('anna.o@example.com'),
  subject: 'Bestätige deine Adresse: 100 % sicher',
  text: 'Hallo Anna,\n\nöffne https://app.example.com/verify?token=abc=def bitte.\n.\nEin Punkt allein.',
  html: '<p>Hallo <b>Anna</b>, <a href="https://app.example.com/verify?token=abc=def">öffne</a></p>',
  kind: 'verification',
};

/**
 * What every adapter of the port does with a mail.
 *
 * @param deliver hands it over to a mailer of `Example, Inc. <no-reply@example.org>`, or does with that what `use` says, and
 *   reads what came out: headers and text
 */
export function describeMailer(
  name: string,
  deliver: (mail: Mail, messageId: string, use?: (mailer: Mailer) => Promise<void>) => Promise<string>,
): void {
  describe(`${name}, as a mailer`, () => {
    it('says from whom, to whom, about what, and that no human wrote it', async () => {
      const { headers } = parseMail(await deliver(MAIL, '<1@example.org>'));
      expect(headers).toMatchObject({
        from: '"Example, Inc." <no-reply@example.org>',
        to: 'anna.o@example.com',
        'message-id': '<1@example.org>',
        'auto-submitted': 'auto-generated',
        'mime-version': '1.0',
        date: expect.stringMatching(/^\w{3}, \d{2} \w{3} \d{4} /),
        'content-type': expect.stringMatching(/^multipart\/alternative;/),
      });
      expect(decodeWords(headers['subject'] ?? '')).toBe(MAIL.subject);
    });

    it('carries the plain text and the HTML unharmed, plain text first', async () => {
      const { parts } = parseMail(await deliver(MAIL, '<2@example.org>'));
      expect(parts).toEqual([
        { type: 'text/plain; charset=utf-8', text: MAIL.text },
        { type: 'text/html; charset=utf-8', text: MAIL.html },
      ]);
    });

    it.each([
      ['subject', 'Hello\r\nBcc: eve@example.com\r\n\r\nbody'],
      ['to', 'anna@example.com\r\nBcc: eve@example.com'],
    ])('lets nobody write headers through its %s', async (field, text) => {
      // Refused or made harmless: both are right.
      const source = await deliver({ ...MAIL, [field]: text }, '<3@example.org>').catch(() => '\n\n');
      expect(parseMail(source).headers).not.toHaveProperty('bcc');
      expect(parseMail(source).parts).toHaveLength(source === '\n\n' ? 0 : 2);
    });

    it('stops when it is told to', async () => {
      await expect(
        deliver(MAIL, '<4@example.org>', (mailer) => mailer.deliver(MAIL, '<4@example.org>', AbortSignal.abort())),
      ).rejects.toThrow();
    });
  });
}

export interface ParsedMail {
  headers: Record<string, string>;
  parts: { type: string; text: string }[];
}

/** Enough of RFC 5322 and MIME for what we send. Header names are in lower case, and header values as they stand. */
export function parseMail(source: string): ParsedMail {
  const { headers, body } = split(source.replaceAll('\r\n', '\n'));
  const boundary = /boundary="?([^";]+)/.exec(headers['content-type'] ?? '')?.[1];
  const sections = boundary === undefined ? [] : body.split(`\n--${boundary}`).slice(0, -1);
  const parts = `\n${body}`
    .split(`\n--${boundary}`)
    .slice(1, sections.length + 1)
    .filter((section) => !section.startsWith('--'))
    .map((section) => {
      const part = split(section.replace(/^\n/, ''));
      return { type: part.headers['content-type'] ?? '', text: decoded(part) };
    });
  return { headers, parts };
}

function split(text: string): { headers: Record<string, string>; body: string } {
  const at = text.indexOf('\n\n');
  const lines = text
    .slice(0, at)
    .replaceAll(/\n[ \t]+/g, ' ')
    .split('\n');
  const headers = lines.map((line) => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
  });
  return { headers: Object.fromEntries(headers), body: text.slice(at + 2) };
}

function decoded({ headers, body }: { headers: Record<string, string>; body: string }): string {
  switch (headers['content-transfer-encoding']) {
    case 'base64':
      return Buffer.from(body, 'base64').toString('utf8');
    case 'quoted-printable':
      return quotedPrintable(body.replaceAll('=\n', ''));
    default:
      return body;
  }
}

function quotedPrintable(text: string): string {
  const bytes = text.replaceAll(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** RFC 2047. */
export function decodeWords(text: string): string {
  return text
    .replaceAll(/\?=\s+=\?/g, '?==?')
    .replaceAll(/=\?utf-8\?([QB])\?([^?]*)\?=/gi, (_, form: string, word: string) =>
      form.toUpperCase() === 'B'
        ? Buffer.from(word, 'base64').toString('utf8')
        : quotedPrintable(word.replaceAll('_', ' ')),
    );
}
